# A user at a shell: commands typed, a script that runs others, a directory visited, a mistake.
printf 'cd docs\ncat plan.txt | wc -l\nsh -c "ls; date -u +%%Y > year"\n' > script.sh
mkdir docs && echo 'one plan' > docs/plan.txt
bash --norc --noprofile <<'TYPED'
id -u
cd docs
head -n 1 plan.txt
cd ..
sh ./script.sh
cat nothing.txt
TYPED
exit 0
