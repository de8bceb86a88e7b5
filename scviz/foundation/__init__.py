"""What every foundation model is: a card, tokens, an encoding, a model, a head; and safe reading of weights."""
