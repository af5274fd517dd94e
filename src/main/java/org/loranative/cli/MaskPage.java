package org.loranative.cli;

import java.util.List;
import org.loranative.train.llm.ShownExample;

/** Examples as a page that needs nothing but itself, light or dark as the reader's system is. */
final class MaskPage {
  private static final String HEAD =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="generator" content="lora-native data">
      <meta name="color-scheme" content="light dark">
      <title>%1$s</title>
      <style>
      :root { --page: #fff; --ink: #1c1c1c; --read: #6a6a6a; --read2: #454545; --on: #bfe8c6; --on2: #a2dcad; --line: #ddd; }
      @media (prefers-color-scheme: dark) {
        :root { --page: #17191c; --ink: #ececec; --read: #9a9a9a; --read2: #c4c4c4; --on: #1f5b31; --on2: #2a7340; --line: #3a3d42; }
      }
      body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
        max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
      h1 { font-size: 1.3rem; }
      h2 { font-size: 0.95rem; font-weight: 600; border-top: 1px solid var(--line); padding-top: 0.8rem;
        overflow-wrap: anywhere; }
      pre { font: 14px/1.7 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
        color: var(--read); margin: 0; }
      b, i { font: inherit; }
      .s { font-weight: 700; }
      .t { background: var(--on); color: var(--ink); border-bottom: 2px solid; }
      .t.o { background: var(--on2); }
      .r.o { color: var(--read2); }
      </style>
      </head>
      <body>
      <h1>%1$s</h1>
      <p>%2$s</p>
      <p><b class="t">trained</b> <span>only read</span>; control tokens are <b class="s">bold</b>, ↵ is a line break.</p>
      """;

  private MaskPage() {}

  /** Whether {@code text} is such a page. */
  static boolean isOne(String text) {
    return text.contains("<meta name=\"generator\" content=\"lora-native data\">");
  }

  /**
   * @param totals a line for each set of data
   */
  static String of(String title, List<String> totals, List<ShownExample> examples) {
    StringBuilder page = new StringBuilder();
    page.append(
        String.format(
            HEAD,
            escaped(title),
            String.join("<br>", totals.stream().map(MaskPage::escaped).toList())));
    for (ShownExample example : examples) {
      page.append("<h2>").append(escaped(MaskText.title(example))).append("</h2>\n<pre>\n");
      int n = 0;
      for (ShownExample.Token token : example.parts()) {
        page.append("<span class=\"")
            .append(token.trained() ? "t" : "r")
            .append(n++ % 2 == 0 ? "" : " o")
            .append(token.special() ? " s" : "")
            .append("\">")
            .append(escaped(token.text()))
            .append("</span>");
      }
      page.append("</pre>\n");
    }
    return page.append("</body>\n</html>\n").toString();
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
