/** What the page does: start runs one after the other, ask running ones, tell of what happened. */
package org.loranative.board.actions;
