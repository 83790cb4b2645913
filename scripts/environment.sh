# Sourced by the scripts: the root of the tree, Swift on the PATH, and how they speak.

script=$(realpath "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v swift >/dev/null && [ -x /opt/swift/usr/bin/swift ]; then
    export PATH="/opt/swift/usr/bin:$PATH"
fi

say() { printf '\n==> %s\n' "$*"; }

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The comment at the head of a script is its help.
print_help() { sed -n '2,/^$/s/^# \{0,1\}//p' "$script"; }
