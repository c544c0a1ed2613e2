# What a node is and lacks for Longhorn, as JSON: its machine's name, and a list of kind
# (program, kernel, service) and what. Programs can be installed; the rest is the owner's to decide.
lacks=
lack() {
    lacks="$lacks${lacks:+, }{\"kind\": \"$1\", \"what\": \"$2\"}"
}
for program in iscsiadm mount.nfs cryptsetup dmsetup; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null || lack program "$program is not installed"
done
for module in iscsi_tcp dm_crypt nfs; do
    [ -e "/sys/module/$module" ] || modprobe -n -q "$module" ||
        lack kernel "its kernel $(uname -r) has no module $module"
done
# It takes every device that Longhorn makes, and mounts then fail.
for unit in multipathd.service multipathd.socket; do
    if systemctl -q is-active "$unit" 2> /dev/null &&
        ! grep -qs 'devnode *"^sd\[a-z0-9\]+' /etc/multipath.conf; then
        lack service "$unit runs and takes Longhorn's devices (systemctl mask --now multipathd.socket multipathd.service)"
    fi
done
echo "{\"machine\": \"$(uname -m)\", \"lacks\": [$lacks]}"
