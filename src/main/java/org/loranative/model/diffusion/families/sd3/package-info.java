/** Stable Diffusion 3 and 3.5 (Esser et al. 2024). */
package org.loranative.model.diffusion.families.sd3;
