/** The runs below some folders: found, read while they grow, and what a table says of each. */
package org.loranative.board.runs;
