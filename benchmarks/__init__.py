"""What the tool costs, as ratios to a peer or a floor measured in the same run. `make bench` runs all of it."""
