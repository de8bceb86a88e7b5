"""The pretrain page."""
