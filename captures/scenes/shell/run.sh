# A shell session: files made, read, searched, renamed and removed; two mistakes; a background job.
mkdir notes
for day in mon tue wed thu fri; do
    echo "$day: wrote the report" > notes/$day.txt
done
cat notes/*.txt > week.txt
grep -c report week.txt
sort -r week.txt | head -n 3
cat missing.txt
cp week.txt backup.txt
chmod 600 backup.txt
mv notes/mon.txt notes/monday.txt
(sleep 0.2; echo done > late.txt) &
cd notes && ls -l && cd ..
dd if=/dev/zero of=zeros bs=4096 count=200 2>/dev/null
wc -c zeros
head -n 1 /etc/shadow-copy
wait
rm -r notes zeros week.txt
exit 0
