/** What runs drew and wrote while they trained. */
package org.loranative.board.samples;
