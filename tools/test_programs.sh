#!/bin/sh
# Fetch the other toolkits' programs that tests and benchmarks talk to, from Debian.
#
#   tools/test_programs.sh test     DCMTK, Orthanc with DICOMweb, dicom3tools, GDCM, OpenJPEG, strace, rsyslog, curl, openssl, Chromium, node
#   tools/test_programs.sh bench    DCMTK, Orthanc with DICOMweb, wrk
#
# Installs only what is missing, starts no service, and says what the absence of each one costs
# when it cannot be installed (no apt, no right to use it, no network). Never fails: tests that
# need an absent program are skipped and pytest's summary names them.
set -u
purpose=${1:-test}

say() { printf '%s\n' "$*" >&2; }

# program or file ; Debian package ; what it is for
programs() {
    cat <<'LIST'
storescu;dcmtk;DCMTK as a peer
Orthanc;orthanc;Orthanc as a peer
/usr/share/orthanc/plugins/libOrthancDicomWeb.so;orthanc-dicomweb;Orthanc's DICOMweb as a peer
LIST
    [ "$purpose" = test ] || cat <<'LIST'
wrk;wrk;frames fetched by a load generator that is not ours
LIST
    [ "$purpose" = bench ] || cat <<'LIST'
curl;curl;an HTTP client of another make
openssl;openssl;a TLS client of another make
dciodvfy;dicom3tools;a second opinion on the objects we generate
gdcmconv;libgdcm-tools;a second opinion on pixels
opj_decompress;libopenjp2-tools;a second opinion on HTJ2K
strace;strace;system calls made to fail or to kill
rsyslogd;rsyslog;a repository of audit messages
/usr/lib/*/rsyslog/lmnsd_gtls.so;rsyslog-gnutls;audit messages over TLS
chromium;chromium;OHIF in a real browser
node;nodejs;OHIF in a real browser
/usr/sbin/nginx;nginx-light;the reverse proxy of the guide
npm;npm;OHIF and the driver of the browser; the web application
LIST
}

is_present() {
    case $1 in
        /*)
            # shellcheck disable=SC2086 # the directory may be that of any architecture
            set -- $1
            [ -e "$1" ]
            ;;
        *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing_packages() {
    programs | while IFS=';' read -r program package _; do
        is_present "$program" || printf '%s ' "$package"
    done
}

# With a policy that refuses starts, Debian's maintainer scripts leave services stopped
# (invoke-rc.d(8)). An existing policy is somebody else's: it stays.
install_quietly() {
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        say "negatoscope: not root and no sudo without a password"
        return 1
    fi
    policy=/usr/sbin/policy-rc.d
    ours=""
    if [ ! -e $policy ]; then
        ours=yes
        printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null && $as_root chmod 755 $policy
    fi
    trap '[ -z "$ours" ] || $as_root rm -f $policy' EXIT
    $as_root apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" >&2
    result=$?
    for service in orthanc rsyslog nginx; do
        case " $* " in
            *" $service "* | *" $service-light "*)
                # Not at the next start of the machine either.
                if [ -d /run/systemd/system ]; then
                    $as_root systemctl disable --now "$service" >/dev/null 2>&1
                elif command -v update-rc.d >/dev/null 2>&1; then
                    $as_root update-rc.d "$service" disable >/dev/null 2>&1
                fi
                ;;
        esac
    done
    return $result
}

missing=$(missing_packages)
[ -n "$missing" ] || exit 0
say "negatoscope: installing Debian packages for the ${purpose}s: $missing"
if command -v apt-get >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # a list of package names
    install_quietly $missing || say "negatoscope: apt-get did not install them"
else
    say "negatoscope: this machine has no apt-get"
fi

programs | while IFS=';' read -r program package purpose_of; do
    is_present "$program" ||
        say "ATTENTION: $program (Debian package $package) is missing. SKIPPED without it: $purpose_of"
done
exit 0
