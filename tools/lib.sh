# SPDX-License-Identifier: MIT
# Shell functions that tools/demo and tools/test share. Sourced by bash with `set -euo pipefail`.

# The root of the checkout, whatever directory the tool was called from.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

require_root() {
    [ "$(id -u)" -eq 0 ] || die "needs root for apt, vsftpd and mount(2); run: sudo $0 $*"
}

# package_names GROUP...: the names in tools/packages that belong to these groups.
package_names() {
    local group
    for group in "$@"; do
        awk -v group="$group" '$1 == group {print $2}' "$top/tools/packages"
    done
}

# install_packages GROUP...: does nothing, and asks no network, when all of them are there.
install_packages() {
    local missing=() name
    for name in $(package_names "$@"); do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    printf 'installing: %s\n' "${missing[*]}"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
    local log
    log=$(mktemp)
    if ! { "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
        { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; }; } \
        >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        die "apt could not install: ${missing[*]} (is this Debian 12 with its usual sources?)"
    fi
    rm -f "$log"
    quiet_vsftpd "${missing[@]}"
}

# Installing vsftpd starts a server on port 21 that nobody asked for.
quiet_vsftpd() {
    case " $* " in
    *' vsftpd '*) ;;
    *) return 0 ;;
    esac
    if [ -d /run/systemd/system ]; then
        systemctl disable --now vsftpd.service >/dev/null 2>&1 ||
            printf 'note: vsftpd.service could not be disabled; it listens on port 21\n'
    fi
}

# FUSE needs its device; containers often lack the node though the kernel has the driver.
require_fuse() {
    if [ ! -e /dev/fuse ]; then
        grep -qw fuse /proc/filesystems || modprobe fuse 2>/dev/null ||
            die "this kernel has no FUSE (no 'fuse' in /proc/filesystems and modprobe fuse failed)"
        mknod -m 666 /dev/fuse c 10 229 ||
            die "/dev/fuse is missing and could not be made; in a container, pass the device in"
        printf 'made the missing device node /dev/fuse\n'
    fi
    # The open itself tells whether a device policy forbids it.
    if ! (: <>/dev/fuse) 2>/dev/null; then
        die "/dev/fuse is there but cannot be opened (a container's device policy?)"
    fi
}

# build DIRECTORY TARGETS MESON-OPTION...: configures when needed, then builds. TARGETS is a
# blank-separated list, "" for all. A directory left half configured, or configured otherwise, is
# made anew.
build() {
    local directory=$1 targets=$2
    shift 2
    local wanted="$*" log
    log=$(mktemp)
    if [ ! -f "$directory/build.ninja" ] ||
        [ "$(cat "$directory/.options" 2>/dev/null)" != "$wanted" ]; then
        rm -rf "$directory"
        if ! meson setup "$directory" "$top" "$@" >"$log" 2>&1 </dev/null; then
            cat "$log" >&2
            rm -rf "$log" "$directory"
            return 1
        fi
        printf '%s' "$wanted" >"$directory/.options"
    fi
    # shellcheck disable=SC2086 # the targets are a list
    if ! ninja -C "$directory" $targets >"$log" 2>&1 </dev/null; then
        grep -vE '^\[[0-9]+/[0-9]+\] (Compiling|Linking|Generating)' "$log" | tail -n 150 >&2
        rm -f "$log"
        return 1
    fi
    tail -n 1 "$log"
    rm -f "$log"
}

# Under sudo the build directories would belong to root inside somebody's checkout.
give_back() {
    local directory
    for directory in "$@"; do
        [ ! -d "$directory" ] || chown -R --reference="$top" "$directory"
    done
}

# unmount_below DIRECTORY: nothing may be mounted under what is about to be removed, for the removal
# would go on into the mounted server.
unmount_below() {
    local at
    awk '{print $2}' /proc/self/mounts | tac | while read -r at; do
        case "$at" in
        "$1"/*) umount -l "$at" ;;
        esac
    done
}

remove_tree() {
    [ -d "$1" ] || return 0
    unmount_below "$1"
    rm -rf --one-file-system "$1"
}
