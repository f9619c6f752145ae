"""The imperative half of a plan: run its steps in order, write down what is about to happen and what came of it."""
