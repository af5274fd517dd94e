package org.loranative.text.jinja;

import java.util.List;
import java.util.Optional;

/**
 * What a template wrote, and what each part of it came from.
 *
 * @param generated what stands in {@code {% generation %}} blocks, in order
 * @param items for each item of the watched list what the template wrote while a loop of it was at
 *     that item; a block or macro whose text is only kept counts where it is printed
 */
public record Rendering(String text, List<Span> generated, List<List<Span>> items) {
  /** Chars [from, to) of the text. */
  public record Span(int from, int to) {
    /** This part of {@code text}. */
    public String of(String text) {
      return text.substring(from, to);
    }

    /** The one that holds all of {@code spans}. */
    public static Optional<Span> around(List<Span> spans) {
      return spans.stream()
          .reduce((a, b) -> new Span(Math.min(a.from, b.from), Math.max(a.to, b.to)));
    }
  }
}
