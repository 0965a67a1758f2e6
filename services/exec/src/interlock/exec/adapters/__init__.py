"""The kill switch: its files, its latch, and the watch over them."""
