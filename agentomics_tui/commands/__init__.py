"""What each command does. A function takes the parsed options and returns the exit status."""
