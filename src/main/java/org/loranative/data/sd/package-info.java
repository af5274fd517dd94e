/** Captioned images: where they are, and which go together. */
package org.loranative.data.sd;
