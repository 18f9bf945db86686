"""What everything that an agent wrote is run in: who may see and change what, and how that is enforced."""
