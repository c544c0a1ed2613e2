module blackstart/pause

go 1.24.0
