"""Planning: what goes where, and for each thing that does not go plainly the one right reason."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fewshot_gui.engine.sorting.destination import Destination, Existing
from fewshot_gui.engine.sorting.names import fits, folded
from fewshot_gui.engine.sorting.plan import (
    Conflict,
    ConflictKind,
    Decided,
    Plan,
    SameName,
    Way,
)
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.survey import FileFacts, SourceFolder, Survey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ID = "0" * 32
K = ConflictKind
DEVICE, ELSEWHERE = 1, 2
ROOM = 1 << 40


class World:
    """A made-up disk: what a survey would say of it, without one."""

    def __init__(
        self,
        files: Mapping[str, str | None],
        there: Mapping[str, Sequence[str]] | None = None,
        **destination: object,
    ) -> None:
        """Take the files with their categories (None: not decided), and the names in each target folder."""
        self.decided = [Decided(path, category) for path, category in files.items() if category is not None]
        listed: dict[str, dict[str, FileFacts]] = {}
        for number, path in enumerate(files):
            folder, name = os.path.split(path)
            listed.setdefault(folder, {})[name] = FileFacts(1000, number, 100 + number, DEVICE)
        self.sources = {folder: SourceFolder(folder, facts) for folder, facts in listed.items()}
        folders = {
            folder: {name: Existing(7, 9000 + number, DEVICE) for number, name in enumerate(names)}
            for folder, names in (there or {}).items()
        }
        plain = Destination("/to", "/to", device=DEVICE, free=ROOM, ignores_case=False, folders=folders)
        self.destination = replace(plain, **destination)  # type: ignore[arg-type]

    def facts(self, path: str, **changes: object) -> World:
        """Change what is known of one file."""
        folder, name = os.path.split(path)
        listing = self.sources[folder]
        files = {**listing.files, name: replace(listing.files[name], **changes)}  # type: ignore[arg-type]
        self.sources[folder] = replace(listing, files=files)
        return self

    def gone(self, path: str) -> World:
        folder, name = os.path.split(path)
        files = {key: facts for key, facts in self.sources[folder].files.items() if key != name}
        self.sources[folder] = replace(self.sources[folder], files=files)
        return self

    def plan(self, way: Way = Way.COPY, same_name: SameName = SameName.RENAME) -> Plan:
        absolute = {each.path: each.path for each in self.decided}
        survey = Survey(absolute, self.sources, self.destination)
        return make_plan(self.decided, survey, way=way, same_name=same_name, identity=ID)


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def targets(plan: Plan) -> dict[str, str]:
    return {file.source: file.target for file in plan.files}


def kinds(plan: Plan) -> dict[str, ConflictKind]:
    return {conflict.path: conflict.kind for conflict in plan.conflicts}


def test_a_picture_goes_to_the_folder_of_its_category() -> None:
    plan = World({"/in/a.jpg": "cats", "/in/b.jpg": "dogs", "/in/c.jpg": None}).plan()
    assert targets(plan) == {"/in/a.jpg": "/to/cats/a.jpg", "/in/b.jpg": "/to/dogs/b.jpg"}
    assert plan.conflicts == ()
    assert plan.counts == {"cats": 1, "dogs": 1}
    assert (plan.id, plan.root, plan.way) == (ID, "/to", Way.COPY)


def test_what_was_decided_goes_with_the_file() -> None:
    world = World({"/in/a.jpg": "cats"})
    world.decided = [Decided("/in/a.jpg", "cats", "human", 0.25, "f" * 32, 1000, 0)]
    (file,) = world.plan().files
    assert (file.by, file.probability, file.picture) == ("human", 0.25, "f" * 32)
    assert (file.size, file.mtime_ns, file.inode, file.device) == (1000, 0, 100, DEVICE)


def test_of_two_words_on_one_picture_a_persons_counts_and_then_the_later() -> None:
    world = World({"/in/a.jpg": "cats", "/in/b.jpg": "cats"})
    world.decided = [
        Decided("/in/a.jpg", "cats", "human"),
        Decided("/in/a.jpg", "dogs", "machine"),
        Decided("/in/b.jpg", "cats", "machine"),
        Decided("/in/b.jpg", "dogs", "machine"),
    ]
    assert targets(world.plan()) == {"/in/a.jpg": "/to/cats/a.jpg", "/in/b.jpg": "/to/dogs/b.jpg"}


# Groups -------------------------------------------------------------------------------------------------


def test_a_group_goes_together() -> None:
    """darktable#4438, #19008: a move left the XMP behind."""
    names = ["a.jpg", "a.xmp", "a.jpg.json", "a.MOV", "a.CR2", "a.aae"]
    world = World({f"/in/{name}": "cats" if name == "a.jpg" else None for name in names})
    plan = world.plan(Way.MOVE)
    assert targets(plan) == {f"/in/{name}": f"/to/cats/{name}" for name in names}
    assert {file.group for file in plan.files} == {0}
    assert [file.is_companion for file in plan.files] == [False, True, True, True, True, True]
    assert plan.counts == {"cats": 1}


def test_a_group_is_renamed_together() -> None:
    world = World(
        {"/in/a.jpg": "cats", "/in/a.jpg.xmp": None, "/in/a.mov": None},
        {"cats": ["A.XMP", "a.MOV", "a (2).jpg"]},
    )
    plan = world.plan()
    assert targets(plan) == {
        "/in/a.jpg": "/to/cats/a (3).jpg",
        "/in/a.jpg.xmp": "/to/cats/a (3).jpg.xmp",
        "/in/a.mov": "/to/cats/a (3).mov",
    }
    assert set(kinds(plan).values()) == {K.RENAMED}


def test_duplicate_live_photos_keep_their_own_partner() -> None:
    """pulsejet/memories#594: the wrong partner went; a group is of one directory and one stem."""
    world = World(
        {"/x/IMG_1.HEIC": "cats", "/x/IMG_1.MOV": None, "/y/IMG_1.HEIC": "dogs", "/y/IMG_1.MOV": None}
    )
    assert targets(world.plan(Way.MOVE)) == {
        "/x/IMG_1.HEIC": "/to/cats/IMG_1.HEIC",
        "/x/IMG_1.MOV": "/to/cats/IMG_1.MOV",
        "/y/IMG_1.HEIC": "/to/dogs/IMG_1.HEIC",
        "/y/IMG_1.MOV": "/to/dogs/IMG_1.MOV",
    }


def test_duplicate_live_photos_of_one_category_keep_their_own_partner_under_a_new_name() -> None:
    world = World(
        {"/x/IMG_1.HEIC": "cats", "/x/IMG_1.MOV": None, "/y/IMG_1.HEIC": "cats", "/y/IMG_1.MOV": None}
    )
    plan = world.plan(Way.MOVE)
    assert targets(plan)["/y/IMG_1.HEIC"] == "/to/cats/IMG_1 (2).HEIC"
    assert targets(plan)["/y/IMG_1.MOV"] == "/to/cats/IMG_1 (2).MOV"


def test_a_companion_claimed_by_two_stays_and_is_listed() -> None:
    plan = World({"/in/a.jpg": "cats", "/in/a.png": "dogs", "/in/a.xmp": None}).plan(Way.MOVE)
    assert set(targets(plan)) == {"/in/a.jpg", "/in/a.png"}
    assert Conflict("/in/a.xmp", K.COMPANION_CLAIMED, "a.jpg, a.png") in plan.conflicts


def test_a_companion_of_a_picture_that_stays_stays_too() -> None:
    plan = World({"/in/a.jpg": "cats", "/in/a.png": None, "/in/a.xmp": None}).plan(Way.MOVE)
    assert set(targets(plan)) == {"/in/a.jpg"}
    assert kinds(plan) == {"/in/a.xmp": K.COMPANION_CLAIMED}


def test_a_raw_whose_jpeg_goes_elsewhere_is_listed_and_goes() -> None:
    plan = World({"/in/a.jpg": "cats", "/in/a.cr2": "dogs"}).plan()
    assert targets(plan) == {"/in/a.jpg": "/to/cats/a.jpg", "/in/a.cr2": "/to/dogs/a.cr2"}
    assert plan.conflicts == (Conflict("/in/a.cr2", K.GROUP_SPLIT, "a.jpg"),)


def test_a_group_of_which_one_cannot_go_stays_whole() -> None:
    world = World({"/in/a.jpg": "cats", "/in/a.xmp": None, "/in/b.jpg": "cats"})
    plan = world.facts("/in/a.xmp", trouble=K.SOURCE_UNREADABLE).plan(Way.MOVE)
    assert set(targets(plan)) == {"/in/b.jpg"}
    assert plan.conflicts == (
        Conflict("/in/a.jpg", K.GROUP_STAYS, "/in/a.xmp"),
        Conflict("/in/a.xmp", K.SOURCE_UNREADABLE),
    )


def test_the_other_picture_of_a_stem_goes_where_one_is_gone() -> None:
    plan = World({"/in/a.jpg": "cats", "/in/a.png": "cats", "/in/a.xmp": None}).gone("/in/a.png").plan()
    assert set(targets(plan)) == {"/in/a.jpg", "/in/a.xmp"}
    assert kinds(plan) == {"/in/a.png": K.SOURCE_MISSING}


def test_companions_of_a_missing_picture_stay() -> None:
    plan = World({"/in/a.jpg": "cats", "/in/a.xmp": None}).gone("/in/a.jpg").plan()
    assert not plan.files


# Sources ------------------------------------------------------------------------------------------------


def test_a_missing_file_is_listed_and_the_rest_goes_on() -> None:
    plan = World({"/in/a.jpg": "cats", "/in/b.jpg": "cats"}).gone("/in/a.jpg").plan()
    assert set(targets(plan)) == {"/in/b.jpg"}
    assert kinds(plan) == {"/in/a.jpg": K.SOURCE_MISSING}


@pytest.mark.parametrize("kind", [K.SOURCE_UNREADABLE, K.LINK, K.NOT_A_FILE])
def test_what_is_no_readable_file_is_listed(kind: ConflictKind) -> None:
    plan = World({"/in/a.jpg": "cats"}).facts("/in/a.jpg", trouble=kind, detail="why").plan()
    assert plan.conflicts == (Conflict("/in/a.jpg", kind, "why"),)
    assert not plan.files


def test_a_folder_that_is_gone_takes_its_files_along() -> None:
    world = World({"/in/a.jpg": "cats"})
    world.sources["/in"] = SourceFolder("/in", trouble=K.SOURCE_MISSING, detail="No such file or directory")
    assert kinds(world.plan()) == {"/in/a.jpg": K.SOURCE_MISSING}


@pytest.mark.parametrize(("size", "mtime_ns"), [(999, None), (None, 5), (1000, 5), (999, 0)])
def test_a_file_that_changed_since_it_was_judged_stays(size: int | None, mtime_ns: int | None) -> None:
    world = World({"/in/a.jpg": "cats"})
    world.decided = [replace(world.decided[0], size=size, mtime_ns=mtime_ns)]
    assert kinds(world.plan()) == {"/in/a.jpg": K.SOURCE_CHANGED}


def test_a_file_that_did_not_change_goes() -> None:
    world = World({"/in/a.jpg": "cats"})
    world.decided = [replace(world.decided[0], size=1000, mtime_ns=0)]
    assert len(world.plan().files) == 1


def test_nothing_moves_out_of_a_folder_that_may_not_be_changed_but_copies_do() -> None:
    world = World({"/in/a.jpg": "cats"})
    world.sources["/in"] = replace(world.sources["/in"], writable=False)
    assert kinds(world.plan(Way.MOVE)) == {"/in/a.jpg": K.SOURCE_FIXED}
    assert len(world.plan(Way.COPY).files) == 1


# Names --------------------------------------------------------------------------------------------------


def test_an_existing_file_keeps_its_name_and_the_new_one_gets_another() -> None:
    """marta#989, godot#19990, servers#4628, mmv#16: a file of the same name was overwritten."""
    plan = World({"/in/a.jpg": "cats"}, {"cats": ["a.jpg"]}).plan()
    assert targets(plan) == {"/in/a.jpg": "/to/cats/a (2).jpg"}
    assert plan.conflicts == (Conflict("/in/a.jpg", K.RENAMED, "/to/cats/a (2).jpg"),)


def test_or_stays_if_that_is_the_rule() -> None:
    world = World({"/in/a.jpg": "cats", "/in/a.xmp": None}, {"cats": ["a.jpg"]})
    plan = world.plan(same_name=SameName.SKIP)
    assert not plan.files
    assert plan.conflicts == (
        Conflict("/in/a.jpg", K.SAME_NAME, "/to/cats/a.jpg"),
        Conflict("/in/a.xmp", K.GROUP_STAYS, "/in/a.jpg"),
    )


def test_two_files_of_one_name_get_two() -> None:
    world = World({"/x/a.jpg": "cats", "/y/a.jpg": "cats", "/z/A.JPG": "cats"})
    assert list(targets(world.plan()).values()) == [
        "/to/cats/a.jpg",
        "/to/cats/a (2).jpg",
        "/to/cats/A (3).JPG",
    ]
    plan = world.plan(same_name=SameName.SKIP)
    assert targets(plan) == {"/x/a.jpg": "/to/cats/a.jpg"}
    assert plan.conflicts[0] == Conflict("/y/a.jpg", K.SAME_TARGET, "/x/a.jpg")


def test_two_files_of_one_folder_whose_names_differ_in_case_alone() -> None:
    plan = World({"/in/a.jpg": "cats", "/in/a.JPG": "cats", "/in/a.xmp": None}).plan()
    assert len({folded(target) for target in targets(plan).values()}) == 2
    assert kinds(plan)["/in/a.xmp"] is K.COMPANION_CLAIMED


def test_case_only_rename_is_never_planned() -> None:
    """nextcloud#40906, zedapp#394: renaming A.jpg to a.jpg lost it where the disk ignores case."""
    for ignores_case in (True, None):
        world = World({"/to/cats/A.jpg": "Cats"}, {"cats": ["A.jpg"]}, ignores_case=ignores_case)
        plan = world.plan(Way.MOVE)
        assert not plan.files
        assert kinds(plan)["/to/cats/A.jpg"] is K.ALREADY_THERE
        assert kinds(plan)["Cats"] is K.FOLDER_CASE
    taken = World({"/in/A.jpg": "cats"}, {"cats": ["a.jpg"]}, ignores_case=True).plan(Way.MOVE)
    assert targets(taken) == {"/in/A.jpg": "/to/cats/A (2).jpg"}


def test_composed_and_decomposed_names_are_one() -> None:
    composed, apart = "é.jpg", unicodedata.normalize("NFD", "é.jpg")
    plan = World({f"/in/{composed}": "cats"}, {"cats": [apart]}).plan()
    assert targets(plan) == {f"/in/{composed}": "/to/cats/é (2).jpg"}


def test_existing_files_of_the_name_are_told_so_that_equal_content_is_found() -> None:
    world = World({"/in/a.jpg": "cats"}, {"cats": ["a.jpg", "a (2).jpg", "a (3).jpg", "b.jpg"]})
    same = Existing(1000, 1, DEVICE)
    there = {**world.destination.folders["cats"], "a (2).jpg": same, "b.jpg": same}
    world.destination = replace(world.destination, folders={"cats": there})
    (file,) = world.plan().files
    assert file.target == "/to/cats/a (4).jpg"
    assert file.alike == ("/to/cats/a (2).jpg",)


def test_a_folder_that_is_sorted_again_takes_no_room_for_what_is_there() -> None:
    there = {f"{number}.jpg": Existing(1_000_000, number, DEVICE) for number in range(1, 10)}
    world = World({f"/in/{number}.jpg": "cats" for number in range(1, 12)}, {"cats": list(there)})
    facts = {name: replace(each, size=1_000_000) for name, each in world.sources["/in"].files.items()}
    world.sources["/in"] = replace(world.sources["/in"], files=facts)
    world.destination = replace(world.destination, folders={"cats": there}, free=2_100_000)
    plan = world.plan()
    assert {file.source for file in plan.files} == {f"/in/{number}.jpg" for number in range(1, 12)}
    assert K.NO_SPACE not in kinds(plan).values()


def test_of_names_with_a_number_only_those_that_we_would_give_are_alike() -> None:
    """Windows names a thousand scans "scan (1).tif" to "scan (1000).tif": each was compared with all."""
    names = [f"scan ({number}).tif" for number in range(1, 101)]
    there = {name: Existing(1000, number, DEVICE) for number, name in enumerate(names, 1)}
    there["scan (7) (2).tif"] = Existing(1000, 500, DEVICE)
    world = World({f"/in/{name}": "cats" for name in names}, {"cats": list(there)})
    world.destination = replace(world.destination, folders={"cats": there})
    alike = {file.source: file.alike for file in world.plan().files}
    assert alike["/in/scan (5).tif"] == ("/to/cats/scan (5).tif",)
    assert alike["/in/scan (7).tif"] == ("/to/cats/scan (7).tif", "/to/cats/scan (7) (2).tif")


def test_a_name_that_just_fits_is_cut_for_its_number() -> None:
    name = "x" * 251 + ".jpg"
    (file,) = World({f"/in/{name}": "cats"}, {"cats": [name]}).plan().files
    assert len(file.target.rpartition("/")[2]) == 255
    assert file.target.endswith(" (2).jpg")


def test_a_path_that_is_too_long_is_listed() -> None:
    plan = World({"/in/" + "x" * 50: "cats", "/in/y": "cats"}, longest_path=40).plan()
    assert set(targets(plan)) == {"/in/y"}
    assert list(kinds(plan).values()) == [K.NAME_TOO_LONG]


def test_reserved_names_get_another_where_the_disk_is_strict() -> None:
    files = {"/in/CON.jpg": "cats", "/in/CON.xmp": None, "/in/a?.jpg": "cats"}
    assert next(iter(targets(World(files).plan()).values())) == "/to/cats/CON.jpg"
    strict = World(files, strict_names=True).plan()
    assert targets(strict) == {
        "/in/CON.jpg": "/to/cats/CON_.jpg",
        "/in/CON.xmp": "/to/cats/CON_.xmp",
        "/in/a?.jpg": "/to/cats/a_.jpg",
    }
    assert set(kinds(strict).values()) == {K.SAFE_NAME}


# Folders ------------------------------------------------------------------------------------------------


def test_an_unsafe_category_gets_a_safe_folder_of_its_own() -> None:
    plan = World({"/in/a.jpg": "a/b", "/in/b.jpg": "a:b", "/in/c.jpg": "a_b", "/in/d.jpg": "A_B"}).plan()
    assert targets(plan) == {
        "/in/a.jpg": "/to/a_b (3)/a.jpg",
        "/in/b.jpg": "/to/a_b (4)/b.jpg",
        "/in/c.jpg": "/to/a_b (2)/c.jpg",
        "/in/d.jpg": "/to/A_B/d.jpg",
    }
    assert kinds(plan)["a/b"] is K.SAFE_FOLDER


def test_the_order_of_the_pictures_changes_no_folder() -> None:
    files = {"/in/a.jpg": "a/b", "/in/b.jpg": "a:b", "/in/c.jpg": "a_b"}
    turned = dict(reversed(files.items()))
    assert targets(World(files).plan()) == targets(World(turned).plan())


def test_a_category_cannot_leave_the_destination() -> None:
    for name in ("..", ".", "../../etc", "/etc", "a/../../b", ""):
        (target,) = targets(World({"/in/a.jpg": name}).plan()).values()
        assert parent(parent(os.path.normpath(target))) == "/to"


def test_a_file_in_the_way_of_a_folder_is_left_alone() -> None:
    plan = World({"/in/a.jpg": "cats"}, names=frozenset({"Cats"})).plan()
    assert targets(plan) == {"/in/a.jpg": "/to/cats (2)/a.jpg"}
    assert kinds(plan) == {"cats": K.SAFE_FOLDER}


def test_a_folder_in_another_case_is_the_categorys_own() -> None:
    plan = World({"/in/a.jpg": "Cats"}, {"cats": []}).plan()
    assert targets(plan) == {"/in/a.jpg": "/to/cats/a.jpg"}
    assert plan.conflicts == (Conflict("Cats", K.FOLDER_CASE, "cats"),)


# The destination ----------------------------------------------------------------------------------------


def test_a_picture_at_its_target_has_nothing_to_do() -> None:
    files = {"/to/cats/a.jpg": "cats", "/to/cats/a.xmp": None, "/in/b.jpg": "cats"}
    for way in (Way.COPY, Way.MOVE, Way.HARD_LINK, Way.SYMBOLIC_LINK):
        plan = World(files, {"cats": ["a.jpg", "a.xmp"]}).plan(way)
        assert set(targets(plan)) == {"/in/b.jpg"}
        assert kinds(plan) == {"/to/cats/a.jpg": K.ALREADY_THERE, "/to/cats/a.xmp": K.ALREADY_THERE}


def test_a_link_at_the_target_to_the_very_file_has_nothing_to_do() -> None:
    world = World({"/in/a.jpg": "cats"}, {"cats": ["a.jpg"]})
    same = {"a.jpg": Existing(1000, world.sources["/in"].files["a.jpg"].inode, DEVICE)}
    world.destination = replace(world.destination, folders={"cats": same})
    assert kinds(world.plan(Way.HARD_LINK)) == {"/in/a.jpg": K.ALREADY_THERE}


def test_the_destination_may_be_the_source_folder_itself() -> None:
    plan = World({"/to/a.jpg": "cats", "/to/b.jpg": "dogs"}).plan(Way.MOVE)
    assert targets(plan) == {"/to/a.jpg": "/to/cats/a.jpg", "/to/b.jpg": "/to/dogs/b.jpg"}


def test_the_destination_may_lie_in_the_source_folder_and_what_is_sorted_stays() -> None:
    files = {"/to/dogs/a.jpg": "cats", "/to/cats/b.jpg": "cats", "/c.jpg": "dogs"}
    plan = World(files, {"cats": ["b.jpg"], "dogs": ["a.jpg"]}).plan(Way.MOVE)
    assert set(targets(plan)) == {"/c.jpg"}
    assert kinds(plan) == {"/to/dogs/a.jpg": K.SORTED_ELSEWHERE, "/to/cats/b.jpg": K.ALREADY_THERE}


def test_a_person_may_sort_anew_what_was_sorted() -> None:
    world = World({"/to/dogs/a.jpg": "cats", "/in/b.jpg": "dogs"}, {"dogs": ["a.jpg"]})
    world.decided = [replace(each, by="human") for each in world.decided]
    assert targets(world.plan(Way.MOVE))["/to/dogs/a.jpg"] == "/to/cats/a.jpg"


def test_a_destination_that_cannot_be_used_is_one_conflict() -> None:
    plan = World({"/in/a.jpg": "cats"}, problem="/to is not a folder").plan()
    assert plan.conflicts == (Conflict("/to", K.DESTINATION, "/to is not a folder"),)
    assert not plan.files


def test_what_has_no_room_is_listed_and_groups_are_not_torn() -> None:
    files = {"/in/a.jpg": "cats", "/in/b.jpg": "cats", "/in/b.xmp": None, "/in/c.jpg": "cats"}
    plan = World(files, free=2 * 4096).plan()
    assert set(targets(plan)) == {"/in/a.jpg", "/in/c.jpg"}
    assert kinds(plan) == {"/in/b.jpg": K.NO_SPACE, "/in/b.xmp": K.NO_SPACE}


def test_a_move_within_the_disk_takes_no_room_and_one_across_does() -> None:
    world = World({"/in/a.jpg": "cats"}, free=0)
    assert len(world.plan(Way.MOVE).files) == 1
    assert len(world.plan(Way.HARD_LINK).files) == 1
    assert kinds(world.facts("/in/a.jpg", device=ELSEWHERE).plan(Way.MOVE)) == {"/in/a.jpg": K.NO_SPACE}


def test_links_that_the_disk_does_not_know_are_listed() -> None:
    world = World({"/in/a.jpg": "cats"})
    assert kinds(world.facts("/in/a.jpg", device=ELSEWHERE).plan(Way.HARD_LINK)) == {
        "/in/a.jpg": K.OTHER_DISK
    }
    assert len(world.plan(Way.SYMBOLIC_LINK).files) == 1
    world = World({"/in/a.jpg": "cats"}, links=False)
    assert kinds(world.plan(Way.HARD_LINK)) == {"/in/a.jpg": K.NO_HARD_LINKS}
    assert kinds(world.plan(Way.SYMBOLIC_LINK)) == {"/in/a.jpg": K.NO_SYMBOLIC_LINKS}


def test_sidecars_are_written_beside_their_pictures_and_need_no_destination() -> None:
    files = {"/in/a.jpg": "cats", "/in/a.xmp": None, "/in/a.cr2": "dogs"}
    plan = World(files, problem="nowhere").plan(Way.SIDECAR)
    assert targets(plan) == {"/in/a.jpg": "/in/a.jpg.xmp", "/in/a.cr2": "/in/a.cr2.xmp"}
    assert plan.conflicts == ()


# Whatever comes -----------------------------------------------------------------------------------------

some_names = st.builds(
    lambda stem, end: stem + end,
    st.sampled_from(["a", "A", "b", "a (2)", "é", "e\u0301", "CON", "x" * 251, "a?", " a", "a.jpg"]),
    st.sampled_from([".jpg", ".JPG", ".png", ".xmp", ".mov", ".cr2", ".jpg.xmp", ".jpg ", ""]),
)
some_categories = st.none() | st.sampled_from(["cats", "Cats", "a/b", "a:b", "..", "", "CON", "dogs"])
some_folders = st.sampled_from(["/x", "/y", "/to", "/to/cats", "/to/dogs"])


def comparable(world: World) -> bool:
    """Where two folders differ in their case alone, the same file name in the other one is no obstacle."""
    return not {"cats", "Cats"} <= set(world.destination.folders)


worlds = st.builds(
    World,
    st.dictionaries(st.builds("{}/{}".format, some_folders, some_names), some_categories, max_size=14),
    st.dictionaries(
        st.sampled_from(["cats", "Cats", "dogs", "a_b"]),
        st.lists(some_names, unique=True, max_size=5),
        max_size=3,
    ),
    strict_names=st.booleans(),
    free=st.sampled_from([0, 5 * 4096, ROOM]),
    ignores_case=st.sampled_from([True, False, None]),
    names=st.frozensets(st.sampled_from(["dogs", "a_b", "CON_"]), max_size=2),
).filter(comparable)
ways = st.sampled_from([Way.COPY, Way.MOVE, Way.HARD_LINK, Way.SYMBOLIC_LINK])
rules = st.sampled_from(SameName)


@given(worlds, ways, rules)
def test_no_two_targets_are_one_name_on_any_system(world: World, way: Way, rule: SameName) -> None:
    names = [folded(file.target) for file in world.plan(way, rule).files]
    assert len(set(names)) == len(names)


@given(worlds, ways, rules)
def test_nothing_is_planned_onto_an_existing_file(world: World, way: Way, rule: SameName) -> None:
    there = {
        folded(f"/to/{folder}/{name}")
        for folder, names in world.destination.folders.items()
        for name in names
    } | {folded(f"/to/{name}") for name in world.destination.names}
    for file in world.plan(way, rule).files:
        assert folded(file.target) not in there
        assert folded(parent(file.target)) not in there
        assert all(folded(other) in there for other in file.alike)


# One letter with its accent, and the same as two characters: to people one name, and one file on a Mac.
@example(World({"/x/\u00e9.jpg": "cats", "/x/e\u0301.xmp": None}), Way.COPY, SameName.RENAME)
@given(worlds, ways, rules)
def test_groups_stay_together(world: World, way: Way, rule: SameName) -> None:
    groups: dict[int, list[tuple[str, str]]] = {}
    for file in world.plan(way, rule).files:
        groups.setdefault(file.group, []).append((file.source, file.target))
    for members in groups.values():
        assert len({parent(source) for source, _target in members}) == 1
        assert len({parent(target) for _source, target in members}) == 1
        # What a name begins with may change, and then it does so alike for all.
        assert len({folded(target.rpartition("/")[2])[:1] for _source, target in members}) == 1


@given(worlds, ways, rules)
def test_every_decided_file_goes_or_is_listed_with_a_reason(world: World, way: Way, rule: SameName) -> None:
    plan = world.plan(way, rule)
    going = {file.source for file in plan.files}
    staying = {conflict.path for conflict in plan.conflicts if conflict.left_out}
    assert not going & staying
    assert {each.path for each in world.decided} <= going | staying


@given(worlds, ways, rules)
def test_the_same_input_gives_the_same_plan(world: World, way: Way, rule: SameName) -> None:
    plan = world.plan(way, rule)
    assert world.plan(way, rule) == plan
    assert Plan.from_json(plan.to_json()) == plan


@given(worlds, ways, rules)
def test_targets_lie_one_folder_below_the_destination_under_names_that_fit(
    world: World, way: Way, rule: SameName
) -> None:
    for file in world.plan(way, rule).files:
        folder, name = os.path.split(file.target)
        assert parent(folder) == "/to"
        assert fits(name)
        assert name not in {"", ".", ".."}


def test_a_path_is_counted_as_the_system_counts_it() -> None:
    """On Windows a path of 90 Chinese characters was too long: there one is one, and an emoji two."""
    for name, goes in (("字" * 30, True), ("字" * 31, False), ("\U0001f600" * 15, True), ("a" * 30, True)):
        plan = World({f"/in/{name}": "cats"}, longest_path=len("/to/cats/") + 30, utf16=True).plan()
        assert bool(targets(plan)) is goes, name
