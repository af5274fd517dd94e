/** FLUX.1 dev and schnell (Black Forest Labs 2024). */
package org.loranative.model.diffusion.families.flux;
