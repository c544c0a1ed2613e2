"""The lab's Kubernetes cluster: its API, etcd, and the endpoints outside of it."""
