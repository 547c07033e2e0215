"""What a data set has to pass: contradictions, contamination, difficulty."""
