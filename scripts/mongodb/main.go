// A MongoDB-protocol server over a PostgreSQL database, for tests and for `make cluster` on machines that have no
// mongod: FerretDB v1, built from the Go module proxy. Right for correctness, useless as a yardstick of speed.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "address to listen on")
	postgres := flag.String("postgres", "", "URL of the PostgreSQL database that keeps everything")
	pem := flag.String("tls", "", "PEM file of a certificate and its key; with it, TLS alone is spoken")
	flag.Parse()
	listener := ferretdb.ListenerConfig{TCP: *listen}
	if *pem != "" {
		listener = ferretdb.ListenerConfig{TLS: *listen, TLSCertFile: *pem, TLSKeyFile: *pem}
	}

	// Its warnings are about answers that differ from MongoDB's; at info it logs every command.
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:      listener,
		Handler:       "postgresql",
		PostgreSQLURL: *postgres,
	})
	if err != nil {
		log.Fatal(err)
	}
	stop, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if err := server.Run(stop); err != nil {
		log.Fatal(err)
	}
}
