module kubectl-react.dev/test-cluster/clustertool

go 1.25.0

require golang.org/x/sys v0.31.0
