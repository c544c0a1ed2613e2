// Command etcd is the etcd server, etcdctl and etcdutl in one binary: the name it is
// called by picks the program.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/etcdctl/v3/ctlv3"
	"go.etcd.io/etcd/etcdutl/v3/etcdutl"
	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "etcdctl":
		ctlv3.MustStart()
	case "etcdutl":
		// Its own main package can't be imported; of its commands, a lab needs this one.
		root := &cobra.Command{Use: "etcdutl"}
		root.AddCommand(etcdutl.NewSnapshotCommand())
		if err := root.Execute(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		etcdmain.Main(os.Args)
	}
}
