# A web server on loopback and clients that fetch from it; one asks for a page that is not there.
mkdir site
echo '<h1>hello</h1>' > site/index.html
head -c 20000 /dev/zero | tr '\0' 'x' > site/large.txt
python3 -I serve.py &
server=$!
while ! [ -s port ]; do sleep 0.05; done
port=$(cat port)
for i in 1 2 3 4 5; do
    curl -s "http://127.0.0.1:$port/index.html" > /dev/null
    curl -s "http://127.0.0.1:$port/large.txt" > /dev/null
done
curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/none.html"
kill $server
wait $server
exit 0
