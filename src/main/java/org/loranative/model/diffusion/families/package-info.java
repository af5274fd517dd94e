/**
 * The families of diffusion models, each in a room of its own; here it is found whose a base is.
 */
package org.loranative.model.diffusion.families;
