"""What schedulerd costs, as ratios to limits measured in the same run."""
