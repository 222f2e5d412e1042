# shellcheck shell=bash
# What a machine needs besides the sources, and how to get it.
#
# Sourced by scripts/run, scripts/test and .ci/run. Works in bash 3.2 and later.
# Everything it prints goes to standard error, so that what a command prints on
# standard output (`train --json`, say) stays clean.
#
# Set GRADSCAPE_INSTALL=no to be told what is missing and have nothing installed.

say() { printf 'gradscape: %s\n' "$*" >&2; }

# Stops unless there is a cargo as new as the manifest asks for.
#   require_rust ROOT
require_rust() {
    local cargo_home=${CARGO_HOME:-$HOME/.cargo} needed found major minor
    # A rustup that was installed in this very shell is not on PATH yet.
    if ! command -v cargo >/dev/null && [ -x "$cargo_home/bin/cargo" ]; then
        PATH=$cargo_home/bin:$PATH
    fi
    if ! command -v cargo >/dev/null; then
        say "Rust is not installed (no cargo). Get it from https://rustup.rs and run this again."
        exit 1
    fi
    needed=$(sed -n 's/^rust-version *= *"\(.*\)".*/\1/p' "$1/Cargo.toml")
    if ! found=$(cargo --version); then
        say "cargo does not start. With rustup, \`rustup default stable\` gives it a toolchain."
        exit 1
    fi
    found=${found#cargo }
    found=${found%%[ -]*}
    major=${found%%.*}
    minor=${found#*.}
    minor=${minor%%.*}
    if [ "$major" -lt "${needed%%.*}" ] ||
        { [ "$major" -eq "${needed%%.*}" ] && [ "$minor" -lt "${needed#*.}" ]; }; then
        say "Rust $found is too old: $needed or newer is needed. Get it with \`rustup update stable\` or from https://rustup.rs."
        exit 1
    fi
}

# Is there a screen to open a window on?
has_display() { [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

# Each purpose and the parts that it takes. The window's libraries are the ones
# that winit loads at run time; linking needs none of them.
parts_of() {
    case $1 in
        compile) echo "cc" ;;
        draw) echo "libvulkan.so.1 vulkan-driver" ;;
        window) echo "libX11.so.6 libX11-xcb.so.1 libXcursor.so.1 libXi.so.6 libxkbcommon.so.0 libxkbcommon-x11.so.0" ;;
        virtual-screen) echo "Xvfb" ;;
        mpi) echo "mpicc mpirun libclang" ;;
        browser) echo "chromium" ;;
        node) echo "node npm" ;;
    esac
}

reason_for() {
    case $1 in
        compile) echo "a C compiler to link the program" ;;
        draw) echo "a Vulkan driver to draw" ;;
        window) echo "X11 and keyboard libraries to open a window" ;;
        virtual-screen) echo "Xvfb to test the window without a screen" ;;
        mpi) echo "Open MPI and libclang to share a surface among processes" ;;
        browser) echo "Chromium to open exported pages" ;;
        node) echo "Node.js and npm to check exported meshes" ;;
    esac
}

consequence_of() {
    case $1 in
        compile) echo "There is no C compiler (cc): cargo can link nothing unless another linker is configured." ;;
        draw) echo "There is no Vulkan driver: the window and \`capture\` will not work; \`train\`, \`surface\`, \`gradient\` and \`data\` will." ;;
        window) echo "Libraries for the window are missing: it will not open; \`capture\`, \`train\`, \`surface\`, \`gradient\` and \`data\` will work." ;;
        virtual-screen) echo "There is no Xvfb: the window cannot be tested without a screen." ;;
        mpi) echo "Open MPI or libclang is missing: \`--features mpi\` will not build or run; everything else will." ;;
        browser) echo "There is no Chromium: exported pages cannot be tested." ;;
        node) echo "There is no Node.js or npm: exported meshes cannot be tested." ;;
    esac
}

# The packages that bring a part.
#   packages_of MANAGER PART
packages_of() {
    case $1:$2 in
        apt:cc) echo "gcc libc6-dev" ;;
        apt:libvulkan.so.1) echo "libvulkan1" ;;
        apt:vulkan-driver) echo "mesa-vulkan-drivers" ;;
        apt:libX11.so.6) echo "libx11-6" ;;
        apt:libX11-xcb.so.1) echo "libx11-xcb1" ;;
        apt:libXcursor.so.1) echo "libxcursor1" ;;
        apt:libXi.so.6) echo "libxi6" ;;
        apt:libxkbcommon.so.0) echo "libxkbcommon0" ;;
        apt:libxkbcommon-x11.so.0) echo "libxkbcommon-x11-0" ;;
        apt:Xvfb) echo "xvfb xauth" ;;
        apt:mpicc) echo "libopenmpi-dev" ;;
        apt:mpirun) echo "openmpi-bin" ;;
        apt:libclang) echo "libclang-dev" ;;
        apt:chromium) echo "chromium" ;;
        apt:node) echo "nodejs" ;;
        apt:npm) echo "npm" ;;
        dnf:cc) echo "gcc" ;;
        dnf:libvulkan.so.1) echo "vulkan-loader" ;;
        dnf:vulkan-driver) echo "mesa-vulkan-drivers" ;;
        dnf:libX11.so.6) echo "libX11" ;;
        dnf:libX11-xcb.so.1) echo "libX11-xcb" ;;
        dnf:libXcursor.so.1) echo "libXcursor" ;;
        dnf:libXi.so.6) echo "libXi" ;;
        dnf:libxkbcommon.so.0) echo "libxkbcommon" ;;
        dnf:libxkbcommon-x11.so.0) echo "libxkbcommon-x11" ;;
        dnf:Xvfb) echo "xorg-x11-server-Xvfb" ;;
        dnf:mpicc) echo "openmpi-devel" ;;
        dnf:mpirun) echo "openmpi" ;;
        dnf:libclang) echo "clang-devel" ;;
        dnf:chromium) echo "chromium" ;;
        dnf:node) echo "nodejs" ;;
        dnf:npm) echo "nodejs-npm" ;;
        pacman:cc) echo "gcc" ;;
        pacman:libvulkan.so.1) echo "vulkan-icd-loader" ;;
        # The software driver serves every machine; vulkan-radeon, vulkan-intel
        # or nvidia-utils is the faster choice where there is a GPU.
        pacman:vulkan-driver) echo "vulkan-swrast" ;;
        pacman:libX11.so.6 | pacman:libX11-xcb.so.1) echo "libx11" ;;
        pacman:libXcursor.so.1) echo "libxcursor" ;;
        pacman:libXi.so.6) echo "libxi" ;;
        pacman:libxkbcommon.so.0) echo "libxkbcommon" ;;
        pacman:libxkbcommon-x11.so.0) echo "libxkbcommon-x11" ;;
        pacman:Xvfb) echo "xorg-server-xvfb xorg-xauth" ;;
        pacman:mpicc | pacman:mpirun) echo "openmpi" ;;
        pacman:libclang) echo "clang" ;;
        pacman:chromium) echo "chromium" ;;
        pacman:node) echo "nodejs" ;;
        pacman:npm) echo "npm" ;;
    esac
}

# Can the dynamic loader find this library?
have_library() {
    local directory
    # Outside root's PATH, ldconfig lies in /sbin.
    if PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -F "	$1 " >/dev/null; then
        return 0
    fi
    local IFS=:
    for directory in ${LD_LIBRARY_PATH:-} /usr/lib /usr/lib64 /lib /lib64 /usr/local/lib /usr/lib/*-linux-gnu*; do
        [ -n "$directory" ] && [ -e "$directory/$1" ] && return 0
    done
    return 1
}

# Does a Vulkan manifest name a driver library that is there?
#   manifest_is_whole FILE.json
manifest_is_whole() {
    local library
    library=$(sed -n 's/.*"library_path" *: *"\([^"]*\)".*/\1/p' "$1" 2>/dev/null)
    library=${library%%$'\n'*}
    case $library in
        "") return 1 ;;
        /*) [ -e "$library" ] ;;
        */*) [ -e "$(dirname "$1")/$library" ] ;;
        *) have_library "$library" ;;
    esac
}

have_vulkan_driver() {
    local directory manifest
    # Whoever names a driver by hand knows better than a search.
    [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] || return 0
    local IFS=:
    for directory in /etc /etc/xdg "${XDG_DATA_HOME:-$HOME/.local/share}" /usr/local/share /usr/share \
        ${XDG_DATA_DIRS:-}; do
        for manifest in "$directory"/vulkan/icd.d/*.json; do
            [ -e "$manifest" ] && manifest_is_whole "$manifest" && return 0
        done
    done
    return 1
}

# Is there the library by which bindings to C are made?
have_libclang() {
    local file
    [ -z "${LIBCLANG_PATH:-}" ] || return 0
    for file in /usr/lib/llvm*/lib/libclang* /usr/lib*/libclang* /usr/lib/*-linux-gnu*/libclang*; do
        # LLVM brings a libclang-cpp of its own, which is another library.
        case ${file##*/} in
            libclang.so* | libclang-[0-9]*.so*) ;;
            *) continue ;;
        esac
        [ -e "$file" ] && return 0
    done
    return 1
}

have() {
    case $1 in
        vulkan-driver) have_vulkan_driver ;;
        libclang) have_libclang ;;
        # Fedora keeps these off PATH until `module load mpi`.
        mpicc | mpirun) command -v "$1" >/dev/null || [ -x "/usr/lib64/openmpi/bin/$1" ] ;;
        lib*.so.*) have_library "$1" ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# The parts that these purposes take and the machine lacks, one a line.
missing_parts() {
    local purpose part
    for purpose in "$@"; do
        for part in $(parts_of "$purpose"); do
            have "$part" || echo "$part"
        done
    done
}

# Those of the given purposes that lack a part, one a line.
unmet_purposes() {
    local purpose
    for purpose in "$@"; do
        [ -z "$(missing_parts "$purpose")" ] || echo "$purpose"
    done
}

package_manager() {
    if command -v apt-get >/dev/null; then
        echo apt
    elif command -v dnf >/dev/null; then
        echo dnf
    elif command -v pacman >/dev/null; then
        echo pacman
    fi
}

# The words of the command that installs packages, without sudo.
install_command() {
    case $1 in
        apt) echo "apt-get install -qq -y --no-install-recommends" ;;
        dnf) echo "dnf install -q -y --setopt=install_weak_deps=False" ;;
        pacman)
            # A machine that never synchronised has no package lists to look in.
            if ls /var/lib/pacman/sync/*.db >/dev/null 2>&1; then
                echo "pacman -S --needed --noconfirm"
            else
                echo "pacman -Sy --needed --noconfirm"
            fi
            ;;
    esac
}

# Runs a command with the rights to install, its output on standard error.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@" >&2 </dev/null
    elif [ -t 0 ]; then
        sudo "$@" >&2
    else
        sudo -n "$@" >&2 </dev/null # nobody is there to type a password
    fi
}

# Installs the packages of the missing parts, or says how to.
install_missing() {
    local manager packages="" part package command reasons="" purpose
    for purpose in $(unmet_purposes "$@"); do
        reasons="${reasons:+$reasons, }$(reason_for "$purpose")"
    done
    manager=$(package_manager)
    if [ -z "$manager" ]; then
        say "This machine lacks $reasons ($(missing_parts "$@" | tr '\n' ' ' | sed 's/ $//')). Its package manager is not one that this script knows; please install them."
        return
    fi
    for part in $(missing_parts "$@"); do
        for package in $(packages_of "$manager" "$part"); do
            case " $packages " in *" $package "*) ;; *) packages="${packages:+$packages }$package" ;; esac
        done
    done
    command="$(install_command "$manager") $packages"
    if [ "${GRADSCAPE_INSTALL:-yes}" = no ]; then
        say "This machine lacks $reasons. To install: sudo $command"
        return
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        say "This machine lacks $reasons. Only root can install that, and there is no sudo. As root: $command"
        return
    fi
    say "This machine lacks $reasons. Installing: $packages"
    if [ "$manager" = apt ]; then
        as_root apt-get update -qq || say "The package lists could not be refreshed; trying with the ones that are here."
        # shellcheck disable=SC2086 # the command is a list of words
        as_root env DEBIAN_FRONTEND=noninteractive $command || say "That did not work. By hand: sudo $command"
    else
        # shellcheck disable=SC2086
        as_root $command || say "That did not work. By hand: sudo $command"
    fi
}

# Brings the machine to where it can serve the given purposes (see parts_of).
# Fails, after saying what will not work, when something is still missing:
# the caller decides whether to go on.
#   prepare PURPOSE...
prepare() {
    local purpose
    case $(uname -s) in
        Linux) ;;
        Darwin)
            # Metal draws and the window needs nothing more.
            xcode-select -p >/dev/null 2>&1 && return 0
            say "A C compiler is missing. To install it: xcode-select --install"
            return 1
            ;;
        *) return 0 ;;
    esac
    [ -n "$(missing_parts "$@")" ] || return 0
    install_missing "$@"
    hash -r
    [ -n "$(missing_parts "$@")" ] || return 0
    for purpose in $(unmet_purposes "$@"); do
        say "$(consequence_of "$purpose")"
    done
    return 1
}

# What both commands want: to compile, to draw, and a window where there is a
# screen. Cargo goes on without, and what was said above tells what that costs.
prepare_for_use() {
    if has_display; then
        prepare compile draw window || true
    else
        prepare compile draw || true
    fi
}
