/** T5's encoder and how it reads texts. */
package org.loranative.model.diffusion.t5;
