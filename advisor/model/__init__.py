"""The shared vocabulary: facts about a training program, the events in it, and findings. Imports nothing of ours."""
