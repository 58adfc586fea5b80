"""What can be bought and what was bought, in several stores; knows nothing of predictions."""
