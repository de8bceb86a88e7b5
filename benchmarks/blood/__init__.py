"""Small blood models of this project, not the published ones: trained, judged and put among the assets.

python -m benchmarks.blood train|judge|ship FAMILY --data ../shared/data --state FOLDER [--epochs N] [--cells N]
"""
