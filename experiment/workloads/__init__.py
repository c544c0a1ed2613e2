"""The lab's workloads as a client outside the cluster sees them between faults."""
