/** Images in memory and on disk. */
package org.loranative.image;
