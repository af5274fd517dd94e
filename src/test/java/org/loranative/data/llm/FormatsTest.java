package org.loranative.data.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.data.llm.Formats.Conversation;
import org.loranative.text.ChatTemplate.Message;

/** What records of other tools' mean, and what is said of those that cannot be used. */
class FormatsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static Formats.Content parse(String record) throws Exception {
    return Formats.parse(JSON.readTree(record.replace('\'', '"')), "auto");
  }

  /** TRL's conversational prompt and completion: what the prompt answered is only read. */
  @Test
  void promptsMayBeTurns() throws Exception {
    Conversation c =
        (Conversation)
            parse(
                "{'prompt': [{'role':'user','content':'a'}, {'role':'assistant','content':'b'},"
                    + " {'role':'user','content':'c'}],"
                    + " 'completion': [{'role':'assistant','content':'d'},"
                    + " {'role':'assistant','content':'e','weight':0}]}");
    assertThat(c.messages()).extracting(Message::content).containsExactly("a", "b", "c", "d", "e");
    assertThat(c.learns(1)).isFalse();
    assertThat(c.learns(3)).isTrue();
    assertThat(c.learns(4)).isFalse();
  }

  @Test
  void contentMayBeInParts() throws Exception {
    Conversation c =
        (Conversation)
            parse(
                "{'messages': [{'role':'user','content':[{'type':'text','text':'a '},"
                    + " 'b']}, {'role':'assistant','content':'c'}]}");
    assertThat(c.messages()).extracting(Message::content).containsExactly("a b", "c");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "{'messages': 'text'}; the messages are a text, not a list",
        "{'messages': [{'role':'user','content':'a'}], 'chat_template_kwargs': {'a': 1}};"
            + "chat_template_kwargs of single records are not supported"
      })
  void saysWhatARecordCannotBe(String record, String sentence) {
    assertThatThrownBy(() -> parse(record))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(sentence);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "[{'type':'image_url','image_url':'x'}]; message 1 has a part of type image_url; only text",
        "[{'image':'x'}]; message 1 has a part of type unknown",
        "[{'type':'text','text':null}]; message 1 has a part of type text without any",
        "5; message 1's content is NUMBER, not text",
        "null; message 1 lacks role or content"
      })
  void saysWhatContentCannotBe(String content, String sentence) {
    String record =
        "{'messages': [{'role':'user','content':"
            + content
            + "}, {'role':'assistant','content':'c'}]}";
    assertThatThrownBy(() -> parse(record))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(sentence);
  }
}
