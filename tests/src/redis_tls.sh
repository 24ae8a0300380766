# Makes an authority of its own (root.pem) and, signed by it, a certificate for a server on 127.0.0.1 (server.pem,
# server.key) and one for a client (client.pem, client.key), in the current directory.
set -e

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Test authority" -keyout root.key -out root.pem
for name in server client; do
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
  printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >"$name.ext"
  openssl x509 -req -days 2 -in "$name.csr" -CA root.pem -CAkey root.key -CAcreateserial -extfile "$name.ext" \
    -out "$name.pem"
done
