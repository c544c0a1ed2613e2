// Command pause holds a pod's namespaces open: it sleeps until it is told to
// stop, and as process 1 of a shared process namespace it reaps what is orphaned.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// So kubeadm asks, before it upgrades a cluster, whether a pod can run to its end.
	if len(os.Args) > 1 && os.Args[1] == "-v" {
		fmt.Println("pause of Blackstart")
		return
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			os.Exit(0)
		}
		reap()
	}
}

// reap collects every child that has ended: several may share one SIGCHLD.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}
