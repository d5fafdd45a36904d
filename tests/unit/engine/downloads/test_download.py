"""Downloads against a server that stalls, truncates and lies: whole and right, or one error and a way on."""

from __future__ import annotations

import hashlib
import shutil
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.engine.downloads import download as module
from fewshot_gui.engine.downloads.download import downloaded, drop, part_path, raw_path
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
from fewshot_gui.engine.lease import Lease
from tests.unit.loopback import CONTENT, cut, honest, rung_at, stall, status

if TYPE_CHECKING:
    from fewshot_gui.core.backbones.ladder import Rung
    from tests.unit.loopback import Served

SHA256 = hashlib.sha256(CONTENT).hexdigest()


def get(rung: Rung, folder: Path, **changes: Any) -> Path:
    """Download with little patience and nobody watching."""
    values = {"progress": lambda _done, _total: None, "cancelled": lambda: False, "timeout_seconds": 5.0}
    with downloaded(rung, folder, **{**values, **changes}) as path:
        return path


def fails(kind: DownloadProblem, rung: Rung, folder: Path, **changes: Any) -> DownloadError:
    """Return the error of a download that must fail in that way and land nothing."""
    with pytest.raises(DownloadError) as caught:
        get(rung, folder, **changes)
    assert caught.value.kind is kind
    assert not raw_path(rung, folder).exists()
    return caught.value


def left(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


def test_a_file_arrives_whole_with_its_progress(rung: Rung, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = get(rung, tmp_path / "new", progress=lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert left(tmp_path / "new") == [".pth"]


def test_what_is_here_is_not_asked_for_again(rung: Rung, served: Served, tmp_path: Path) -> None:
    assert get(rung, tmp_path) == get(rung, tmp_path)
    assert len(served.asked) == 1


@pytest.mark.parametrize("first", [1, 1000, len(CONTENT) - 1])
def test_it_goes_on_where_it_stopped(rung: Rung, served: Served, tmp_path: Path, first: int) -> None:
    served.behave = [cut(first)]
    error = fails(DownloadProblem.TRUNCATED, rung, tmp_path)
    assert f"{first} of {len(CONTENT)} bytes" in error.detail
    told: list[int] = []
    assert get(rung, tmp_path, progress=lambda done, _total: told.append(done)).read_bytes() == CONTENT
    assert told[0] == first
    _, headers = served.asked[-1]
    assert headers["Range"] == f"bytes={first}-"
    assert headers["If-Range"] == served.etag


def test_a_file_that_changed_meanwhile_begins_anew(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [cut(5000)]
    fails(DownloadProblem.TRUNCATED, rung, tmp_path)
    served.content = CONTENT[::-1]
    served.etag = '"second"'
    changed = replace(rung, sha256=hashlib.sha256(served.content).hexdigest())
    assert get(changed, tmp_path).read_bytes() == served.content


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_sound_validator_it_begins_anew(
    rung: Rung, served: Served, tmp_path: Path, etag: str
) -> None:
    served.etag = etag
    served.behave = [cut(5000)]
    fails(DownloadProblem.TRUNCATED, rung, tmp_path)
    assert get(rung, tmp_path).read_bytes() == CONTENT
    assert "Range" not in served.asked[-1][1]


def test_a_server_without_ranges_begins_anew(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.ranges = False
    served.behave = [cut(5000)]
    fails(DownloadProblem.TRUNCATED, rung, tmp_path)
    assert get(rung, tmp_path).read_bytes() == CONTENT


def wrong_place(handler: Any) -> None:
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}")
    handler.send_header("Content-Length", str(len(CONTENT) - 7))
    handler.end_headers()
    handler.wfile.write(CONTENT[7:])


def no_place(handler: Any) -> None:
    status(206)(handler)


@pytest.mark.parametrize("lie", [status(416), wrong_place, no_place])
def test_a_wrong_answer_to_a_range_begins_anew(rung: Rung, served: Served, tmp_path: Path, lie: Any) -> None:
    served.behave = [cut(5000), lie]
    fails(DownloadProblem.TRUNCATED, rung, tmp_path)
    assert get(rung, tmp_path).read_bytes() == CONTENT
    assert len(served.asked) == 3


def test_nonsense_twice_is_a_refusal(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [no_place, no_place]
    fails(DownloadProblem.REFUSED, rung, tmp_path)


def test_a_part_that_was_whole_is_not_asked_for_again(
    rung: Rung, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the program had been killed between the last byte and the renaming."""
    with monkeypatch.context() as killed:
        killed.setattr(module, "_check", lambda _part, _rung: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            get(rung, tmp_path)
    assert get(rung, tmp_path).read_bytes() == CONTENT
    assert len(served.asked) == 1


@pytest.mark.parametrize("note", ["", "{", "[]", '{"total": "many"}'])
def test_half_a_note_counts_as_nothing(rung: Rung, served: Served, tmp_path: Path, note: str) -> None:
    part_path(rung, tmp_path).write_bytes(b"of another file")
    part_path(rung, tmp_path).with_name(f"{part_path(rung, tmp_path).name}.json").write_text(note)
    assert get(rung, tmp_path).read_bytes() == CONTENT
    assert "Range" not in served.asked[0][1]


@pytest.mark.parametrize("most", [0, 5000])
def test_a_server_that_falls_silent(rung: Rung, served: Served, tmp_path: Path, most: int) -> None:
    served.behave = [stall(most)]
    fails(DownloadProblem.STALLED, rung, tmp_path, timeout_seconds=0.2)
    served.release.set()
    assert get(rung, tmp_path).read_bytes() == CONTENT


def test_a_server_that_never_answers(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [lambda _handler: served.release.wait(30)]
    fails(DownloadProblem.STALLED, rung, tmp_path, timeout_seconds=0.2)


def test_a_server_that_hangs_up_at_once(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)]
    error = fails(DownloadProblem.REFUSED, rung, tmp_path)
    assert error.status is None


def test_a_server_that_announces_too_little(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [lambda handler: honest(handler, length=5000)]
    fails(DownloadProblem.WRONG_HASH, rung, tmp_path)
    assert left(tmp_path) == []


def test_a_server_that_announces_too_much(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [lambda handler: honest(handler, length=len(CONTENT) + 5)]
    fails(DownloadProblem.TRUNCATED, rung, tmp_path)


def test_a_server_that_announces_a_giant(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [lambda handler: honest(handler, length=1 << 40)]
    fails(DownloadProblem.WRONG_HASH, rung, tmp_path)
    assert left(tmp_path) == []


def endless(handler: Any) -> None:
    """Send without a length, and more than anybody wants."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(CONTENT)
    except OSError:
        return


def test_a_server_that_never_ends(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [endless]
    fails(DownloadProblem.WRONG_HASH, rung, tmp_path)
    assert left(tmp_path) == []


def without_length(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(CONTENT)


def chunked(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for start in range(0, len(CONTENT), 100_000):
        piece = CONTENT[start : start + 100_000]
        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")


@pytest.mark.parametrize("behave", [without_length, chunked])
def test_a_server_that_names_no_length(rung: Rung, served: Served, tmp_path: Path, behave: Any) -> None:
    served.behave = [behave]
    told: list[int | None] = []
    assert get(rung, tmp_path, progress=lambda _, total: told.append(total)).read_bytes() == CONTENT
    assert set(told) == {None}


def test_other_content_is_removed(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.content = b"<html>Please sign in</html>"
    fails(DownloadProblem.WRONG_HASH, rung, tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("code", [401, 403, 404, 407, 416, 500, 503])
def test_a_refusal_says_its_status(rung: Rung, served: Served, tmp_path: Path, code: int) -> None:
    served.behave = [status(code)]
    assert fails(DownloadProblem.REFUSED, rung, tmp_path).status == code


def test_a_refusal_keeps_what_is_here(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [cut(5000), status(503)]
    fails(DownloadProblem.TRUNCATED, rung, tmp_path)
    fails(DownloadProblem.REFUSED, rung, tmp_path)
    assert part_path(rung, tmp_path).stat().st_size == 5000


def test_no_connection(served: Served, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = fails(DownloadProblem.OFFLINE, rung_at(f"http://127.0.0.1:{port}/tiny.pth"), tmp_path)
    assert error.host == "127.0.0.1"
    assert left(tmp_path) == []


def test_a_name_that_nobody_knows(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_options: Any) -> Any:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = fails(DownloadProblem.OFFLINE, rung_at("https://models.example/tiny.pth"), tmp_path)
    assert error.host == "models.example"


def test_a_proxy_is_asked(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", served.url)
    assert get(rung_at("http://models.example/tiny.pth"), tmp_path).read_bytes() == CONTENT
    path, headers = served.asked[0]
    assert path == "http://models.example/tiny.pth"
    assert headers["Host"] == "models.example"


def test_a_proxy_that_says_no(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server knows no CONNECT, so it answers 501."""
    monkeypatch.setenv("https_proxy", served.url)
    error = fails(DownloadProblem.REFUSED, rung_at("https://models.example/tiny.pth"), tmp_path)
    assert "501" in error.detail


def test_the_checksum_of_the_answer_that_leads_elsewhere(served: Served, tmp_path: Path) -> None:
    rung = rung_at(f"{served.url}/a", sha256="")
    leads = status(302, Location=f"{served.url}/b", X_Linked_ETag=f'"{SHA256}"')
    served.behave = [leads, cut(5000), leads]
    fails(DownloadProblem.TRUNCATED, rung, tmp_path)
    assert get(rung, tmp_path).read_bytes() == CONTENT
    assert [path for path, _ in served.asked] == ["/a", "/b", "/a", "/b"]
    assert served.asked[-1][1]["Range"] == "bytes=5000-"


def test_the_checksum_of_the_etag(served: Served, tmp_path: Path) -> None:
    rung = rung_at(f"{served.url}/a", sha256="")
    served.etag = f'"{SHA256}"'
    assert get(rung, tmp_path).read_bytes() == CONTENT


def test_the_ladder_is_believed_before_the_server(served: Served, tmp_path: Path) -> None:
    rung = rung_at(f"{served.url}/a")
    served.content = CONTENT[::-1]
    served.headers = {"X-Linked-ETag": f'"{hashlib.sha256(served.content).hexdigest()}"'}
    fails(DownloadProblem.WRONG_HASH, rung, tmp_path)


def test_no_checksum_at_all_is_refused_before_a_byte(served: Served, tmp_path: Path) -> None:
    fails(DownloadProblem.REFUSED, rung_at(f"{served.url}/a", sha256=""), tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("address", ["ftp://models.example/a", "file:///etc/hosts"])
def test_unsafe_addresses_are_not_followed(rung: Rung, served: Served, tmp_path: Path, address: str) -> None:
    served.behave = [status(302, Location=address)]
    fails(DownloadProblem.REFUSED, rung, tmp_path)


def test_a_circle_is_left(rung: Rung, served: Served, tmp_path: Path) -> None:
    served.behave = [status(302, Location=rung.url)] * 20
    fails(DownloadProblem.REFUSED, rung, tmp_path)


def test_a_disk_without_room_is_seen_beforehand(
    rung: Rung, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=len(CONTENT) - 1))
    fails(DownloadProblem.DISK_FULL, rung, tmp_path)
    assert left(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_fills_up_is_given_back(
    rung: Rung, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_a_full_disk(self: Any, offset: int) -> Any:
        self.path.symlink_to("/dev/full")
        return appending(self, offset)

    appending = module.Part.appending
    monkeypatch.setattr(module.Part, "appending", on_a_full_disk)
    error = fails(DownloadProblem.DISK_FULL, rung, tmp_path)
    assert "No space left" in error.detail
    assert left(tmp_path) == []


def test_a_folder_that_is_a_file(rung: Rung, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError) as caught:
        get(rung, tmp_path / "file")
    assert caught.value.kind is DownloadProblem.DISK_FULL


def test_cancelled_before_anything_is_asked(rung: Rung, served: Served, tmp_path: Path) -> None:
    fails(DownloadProblem.CANCELLED, rung, tmp_path, cancelled=lambda: True)
    assert served.asked == []


def test_cancelled_in_the_middle_keeps_the_part(rung: Rung, served: Served, tmp_path: Path) -> None:
    stop = threading.Event()

    def progress(done: int, _total: int | None) -> None:
        if done:
            stop.set()

    fails(DownloadProblem.CANCELLED, rung, tmp_path, progress=progress, cancelled=stop.is_set)
    kept = part_path(rung, tmp_path).stat().st_size
    assert 0 < kept < len(CONTENT)
    assert get(rung, tmp_path).read_bytes() == CONTENT
    assert served.asked[-1][1]["Range"] == f"bytes={kept}-"


def test_only_one_downloads_it(rung: Rung, served: Served, tmp_path: Path) -> None:
    lease = Lease(part_path(rung, tmp_path))
    fails(DownloadProblem.BUSY, rung, tmp_path)
    assert served.asked == []
    lease.release()
    assert get(rung, tmp_path).read_bytes() == CONTENT


def test_an_unfinished_one_can_be_dropped(rung: Rung, served: Served, tmp_path: Path) -> None:
    assert not drop(rung, tmp_path)
    served.behave = [cut(5000)]
    fails(DownloadProblem.TRUNCATED, rung, tmp_path)
    assert drop(rung, tmp_path)
    assert left(tmp_path) == []


def test_another_address_is_another_file(rung: Rung, tmp_path: Path) -> None:
    moved = replace(rung, url=f"{rung.url}?version=2")
    assert raw_path(moved, tmp_path) != raw_path(rung, tmp_path)
    assert part_path(moved, tmp_path) != part_path(rung, tmp_path)
