# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by ./run and ./test: installs the packages that are missing, configures and builds. It speaks on standard error
# only, so that what the tutti program writes to standard output stays clean. Expects tutti_root.

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}

# tutti_lock NAME: one ./run and one ./test at a time: a second caller waits here, then finds everything done. Descriptor 9
# holds the lock until tutti_unlock or the end of the script; it is closed for what runs long and sets nothing up.
tutti_lock() {
    if ! mkdir -p "$tutti_root/build" 2>/dev/null || ! touch "$tutti_root/build/.lock-$1" 2>/dev/null; then
        die "cannot write to $tutti_root/build; nothing was built; make the folder yours, it may be root's from an earlier call"
    fi
    command -v flock >/dev/null || return 0
    exec 9>"$tutti_root/build/.lock-$1"
    flock -n 9 && return 0
    say "another ./$1 is at work here; waiting for it"
    flock 9
}
tutti_unlock() { exec 9>&-; }

# tutti_packages SECTION...: "package command" a line, "-" where no command will do instead.
tutti_packages() {
    local section
    for section in "$@"; do
        awk -v want="[$section]" '
            { sub(/#.*/, "") }
            NF == 0 { next }
            /^\[/ { on = ($1 == want); next }
            on { command = "-"; if ($2 ~ /^=/) command = substr($2, 2); print $1, command }
        ' "$tutti_root/cmake/packages.txt"
    done | sort -u
}

tutti_missing_packages() {
    local package command names=() installed
    while read -r package command; do
        [ "$command" != - ] && command -v "$command" >/dev/null && continue
        names+=("$package")
    done < <(tutti_packages "$@")
    [ ${#names[@]} -gt 0 ] || return 0
    # "ii": wanted and installed whole; a package left half-way by an interrupted run counts as missing.
    installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "${names[@]}" 2>/dev/null | awk '$1 == "ii" { print $2 }') || true
    for package in "${names[@]}"; do
        grep -qxF -- "$package" <<<"$installed" || printf '%s\n' "$package"
    done
}

tutti_has_candidates() {
    local package
    for package in "$@"; do
        # Not grep -q: it would leave early, and pipefail would take the broken pipe for a no.
        apt-cache policy "$package" 2>/dev/null | grep '^  Candidate: [^(]' >/dev/null || return 1
    done
}

# tutti_install_packages SECTION...: sets tutti_installed=yes where it installed anything.
tutti_install_packages() {
    tutti_installed=no
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "this is not a Debian system: packages are not looked after here; CMake says what is missing (cmake/packages.txt lists all)"
        return 0
    fi
    local missing=() line
    while read -r line; do missing+=("$line"); done < <(tutti_missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0

    local by_hand="apt-get install -y --no-install-recommends ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "these packages are missing and there is neither root nor sudo to install them: ${missing[*]}; nothing was built; run as root: $by_hand"
        as_root=(sudo)
        if ! [ -t 0 ]; then
            sudo -n true 2>/dev/null || die "these packages are missing and sudo wants a password, which cannot be asked for here: ${missing[*]}; nothing was built; run as root: $by_hand"
            as_root=(sudo -n)
        fi
    fi
    say "will install from Debian${as_root[0]:+ (with sudo)}: ${missing[*]}"
    local apt=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600)
    local log="$tutti_root/build/packages-$$.log"
    : >"$log"
    [ -z "$(dpkg --audit 2>/dev/null)" ] || ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >>"$log" 2>&1 || true
    tutti_has_candidates "${missing[@]}" || { say "fetching the package lists"; "${apt[@]}" update >>"$log" 2>&1 || true; }
    if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
        # Old lists name files that are gone: once more with new ones.
        say "fetching the package lists again"
        "${apt[@]}" update >>"$log" 2>&1 || true
        if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
            grep -E '^(E|W|Err)' "$log" | tail -n 5 >&2 || true
            die "the packages could not be installed (is there a network? the whole log: $log); nothing was built; try again, or run as root: $by_hand"
        fi
    fi
    rm -f -- "$log"
    tutti_installed=yes
    say "installed"
}

# tutti_configure FOLDER CMAKE-ARGUMENT...: only where something that matters has changed; later changes of CMake files
# are noticed by the build itself.
tutti_configure() {
    local folder=$1 stamp key
    shift
    key="$tutti_root $* $(command -v ccache || true) ${CC:-} ${CXX:-} $(cksum <"$tutti_root/CMakePresets.json")"
    stamp="$folder/.tutti-configured"
    if [ -f "$folder/build.ninja" ] && [ "$tutti_installed" = no ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then return 0; fi
    # A folder that was configured for another place is of no use.
    if [ -f "$folder/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$tutti_root" "$folder/CMakeCache.txt"; then
        rm -rf -- "$folder"
    fi
    # What was cached under other arguments would outlive them; what is compiled stays.
    rm -f -- "$stamp" "$folder/CMakeCache.txt"
    mkdir -p "$folder"
    local launcher=()
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    say "configuring ${folder#"$tutti_root"/}"
    if ! cmake -S "$tutti_root" -B "$folder" -G Ninja ${launcher[@]+"${launcher[@]}"} "$@" >"$folder/configure.log" 2>&1; then
        cat "$folder/configure.log" >&2
        say "error: CMake could not configure $folder; nothing was built; the lines above say why"
        return 1
    fi
    sed -n '/^-- Tutti /,/^-- Configuring done/{/^-- Configuring done/d;p}' "$folder/configure.log" >&2
    printf '%s' "$key" >"$stamp"
}

# Reads what ninja says; a look at globbed folders and a new run of CMake are not worth a line, the first file built is.
tutti_progress() {
    local line said=no next=25 percent
    while IFS= read -r line; do
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (.*) ]] || continue
        case ${BASH_REMATCH[3]} in *'globbed directories'* | 'Re-running CMake'*) continue ;; esac
        [ $said = yes ] || say "building $1: ${BASH_REMATCH[2]} steps"
        said=yes
        percent=$((100 * BASH_REMATCH[1] / BASH_REMATCH[2]))
        if [ $percent -ge $next ] && [ $percent -lt 100 ]; then
            say "  $percent %"
            next=$((percent / 25 * 25 + 25))
        fi
    done
}

# tutti_build FOLDER [TARGET...]: quiet where there is nothing to do, else a line now and then.
tutti_build() {
    local folder=$1
    shift
    if ! ninja -C "$folder" "$@" 2>&1 | tee "$folder/build.log" | tutti_progress "${folder#"$tutti_root"/}${*:+ ($*)}"; then
        grep -v '^\[[0-9]*/[0-9]*\]' "$folder/build.log" | tail -n 60 >&2 || true
        say "error: the build in $folder failed; the lines above say why; the whole log: $folder/build.log"
        return 1
    fi
}
