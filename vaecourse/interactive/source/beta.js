// Chapter 6: models trained with different weights of the KL term.

import { pictures, range, sweep } from "./sweep.js";

export const mathematics = { pictures, range };

export const build = (figure) => sweep(figure);
