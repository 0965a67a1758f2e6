"""OrderIntent to signed SubmitOrder, or OrderDenied with every failed control."""
