// Chapter 10: models trained with different multipliers of the prediction constraint.

import { pictures, range, sweep } from "./sweep.js";

export const mathematics = { pictures, range };

export const build = (figure) => sweep(figure);
