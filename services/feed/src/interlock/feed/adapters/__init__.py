"""What listens to a live source."""
