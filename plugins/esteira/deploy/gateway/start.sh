#!/bin/sh
# Starts HAProxy with no case behind it where nobody has said yet which there are.
set -eu
cd /run/esteira/admin
[ -e cases.cfg ] || : > cases.cfg
[ -e shadow.map ] || : > shadow.map
[ -e index.html ] || echo '<!doctype html><title>Esteira</title><p>No case is live yet.' > index.html
exec haproxy -W -S /run/esteira/admin/master.sock,mode,666 -f /etc/esteira/haproxy.cfg -f cases.cfg
