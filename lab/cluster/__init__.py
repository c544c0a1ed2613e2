"""A lab that runs: its Kubernetes API, etcd, endpoints, frames and health."""
