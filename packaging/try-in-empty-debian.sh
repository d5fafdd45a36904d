#!/usr/bin/env bash
# Prove the set-up where nothing is installed: an empty Debian 12 with python3, python3-venv and pip alone.
#
#   sudo packaging/try-in-empty-debian.sh [MIRROR]
#
# Makes the empty root with debootstrap, clones the last commit into it and runs, timed: the start (there is
# no display, so it ends with the table and the picture of the sample), the start again, the tests, and the
# program from its wheel alone. Needs root, debootstrap, 30 GB and a connection. The root is deleted at the end.
#
#   FOLDER=DIR     make the root there and keep it; a second run goes on with it
#   STEPS="..."    of start, again, test, wheel; all by default
#   SHARE="DIR.."  folders of this machine to show inside, read-only (a package index of your own)
#
# pip's settings and the certificates of this machine are copied in, so that it installs from where you do.
set -euo pipefail

mirror=${1:-http://deb.debian.org/debian}
steps=${STEPS:-start again test wheel}
source=$(cd "$(dirname "$0")/.." && pwd)
root=${FOLDER:-$(mktemp -d /var/tmp/empty-debian.XXXXXX)}

leave() {
    for folder in $(awk -v root="$root/" 'index($2, root) == 1 { print $2 }' /proc/mounts | sort -r); do
        umount --lazy "$folder"
    done
    if [ -z "${FOLDER:-}" ]; then rm -rf --one-file-system "$root"; fi
}
trap leave EXIT
failed=""

copy_in() { # the same file at the same place, where this machine has it
    for file in "$@"; do
        if [ -f "$file" ]; then install -D -m 644 "$(realpath "$file")" "$root$file"; fi
    done
}

inside() { # a command in the root, with nothing of this machine's environment but pip's settings
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        "${settings[@]}" sh -c "cd /root/few-shot-labeler && $1"
}

timed() {
    printf '\n=== %s: %s\n' "$1" "$2"
    local began=$SECONDS
    inside "$2" || failed="$failed $1;"
    printf -- '--- %s took %s s\n' "$1" "$((SECONDS - began))"
}

mapfile -t settings < <(env | grep -E '^PIP_[A-Z_]+=' || true)
if [ ! -x "$root/usr/bin/python3" ]; then
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip bookworm "$root" "$mirror"
fi
copy_in /etc/resolv.conf /etc/pip.conf /root/.config/pip/pip.conf /etc/ssl/certs/ca-certificates.crt
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev" || mount --rbind /dev "$root/dev"
for folder in ${SHARE:-}; do
    mkdir -p "$root$folder"
    mountpoint -q "$root$folder" || mount --bind -o ro "$folder" "$root$folder"
done
if [ -d "$root/root/few-shot-labeler" ]; then
    git -C "$root/root/few-shot-labeler" pull --quiet "$source" HEAD
else
    git clone --quiet "$source" "$root/root/few-shot-labeler"
fi

for step in $steps; do
    case $step in
    start | again) timed "$step" "python3 packaging/launch.py" ;;
    test) timed "$step" "python3 packaging/launch.py test" ;;
    wheel)
        timed "wheel" ".venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir /root/wheel ."
        timed "wheel, installed" "python3 -m venv --clear /root/empty && /root/empty/bin/pip install /root/wheel/*.whl"
        timed "wheel, used" "cd /root && empty/bin/fewshot-gui models list && empty/bin/fewshot-gui doctor &&
            empty/bin/fewshot-gui --report sample.png"
        ;;
    *) printf 'No such step: %s\n' "$step" >&2 && exit 2 ;;
    esac
done
if [ -n "$failed" ]; then printf '\nFailed:%s\n' "${failed%;}" && exit 1; fi
printf '\nEverything worked.\n'
