/** Curves as a screen shows them: axes, smoothing, buckets, and only what is new of them. */
package org.loranative.board.curves;
