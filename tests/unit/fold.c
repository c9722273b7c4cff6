/*
 * fold: capitals and outer punctuation put back as the language writes them.
 */
#include "tests/unit/check.h"

#include "tools/translate/fold.h"

static const char *
restore(const char *translation, const char *found, const char *wanted, const char *locale)
{
	static struct buf out;

	buf_reset(&out);
	fold_restore(slice(translation), slice(found), slice(wanted), locale, &out);
	return out.ptr;
}

static void
test_capitals(void)
{
	/* The two i's of Turkish and Azeri, in both directions; other languages have one. */
	CHECK_TEXT(restore("geri", "back", "BACK", "tr"), "GERİ");
	CHECK_TEXT(restore("Geri", "Back", "BACK", "tr-TR"), "GERİ");
	CHECK_TEXT(restore("kapalı", "off", "OFF", "tr"), "KAPALI");
	CHECK_TEXT(restore("iptal", "cancel", "Cancel", "tr"), "İptal");
	CHECK_TEXT(restore("ışık", "light", "Light", "tr"), "Işık");
	CHECK_TEXT(restore("İptal", "Cancel", "cancel", "tr"), "iptal");
	CHECK_TEXT(restore("Işık", "Light", "light", "az"), "ışık");
	CHECK_TEXT(restore("geri", "back", "BACK", "az-Latn"), "GERİ");
	CHECK_TEXT(restore("indietro", "back", "BACK", "it"), "INDIETRO");
	CHECK_TEXT(restore("Invia", "Send", "send", "it"), "invia");
	CHECK_TEXT(restore("isto", "this", "This", "trv"), "Isto");
}

static void
test_sharp_s(void)
{
	CHECK_TEXT(restore("Größe", "Size", "SIZE", "de"), "GRÖSSE");
	CHECK_TEXT(restore("Schließen", "Close", "CLOSE", "de-AT"), "SCHLIESSEN");
	/* Nothing is put in capitals here: it stays. */
	CHECK_TEXT(restore("Größe", "Size", "Size…", "de"), "Größe…");
	CHECK_TEXT(restore("Größe", "Size", "size", "de"), "Größe");
}

static void
test_marks(void)
{
	CHECK_TEXT(restore("Supprimer", "Delete", "Delete?", "fr"), "Supprimer\u202f?");
	CHECK_TEXT(restore("Eliminar", "Delete", "Delete?", "es"), "¿Eliminar?");
	CHECK_TEXT(restore("حذف", "Delete", "Delete?", "ar"), "حذف؟");
	CHECK_TEXT(restore("删除", "Delete", "Delete?", "zh"), "删除？");
	/* As the seed has them: Japanese with a narrow colon, Korean with narrow marks. */
	CHECK_TEXT(restore("完成", "Done", "Done!", "zh"), "完成！");
	CHECK_TEXT(restore("名称", "Name", "Name:", "zh-Hant"), "名称：");
	CHECK_TEXT(restore("完了", "Done", "Done!", "ja"), "完了！");
	CHECK_TEXT(restore("名前", "Name", "Name:", "ja"), "名前:");
	CHECK_TEXT(restore("완료", "Done", "Done!", "ko"), "완료!");
}

int
main(void)
{
	test_capitals();
	test_sharp_s();
	test_marks();
	return check_done();
}
