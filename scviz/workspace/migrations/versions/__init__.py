"""The steps, the first one first: v1, v2 and so on. What has been released is not changed any more."""
