"""Small real tasks for tests of the jobs."""
