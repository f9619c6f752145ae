"""Wire shapes: the same campaign or list looks different in almost every answer, key order and types included."""

from __future__ import annotations

from reconciler.sandbox.intelepeer.knobs import IntelePeerKnobs
from reconciler.sandbox.intelepeer.state import NOBODY, Account, Campaign, ContactList, iso
from reconciler.sandbox.wire import JsonObject


def flag(deleted: bool, knobs: IntelePeerKnobs) -> bool | str:
    """``deleteFlag``: a boolean, or its name as text."""
    return str(deleted).lower() if knobs.delete_flag_as_string else deleted


def campaign_detail(account: Account, one: Campaign, knobs: IntelePeerKnobs) -> JsonObject:
    """E1 and E2: ``scheduled`` and ``lastExecuted``, but no ``lists``, ``rate``, ``plan`` or ``status``."""
    return {
        "listRel": one.list_ids,
        "location": "US",
        "_id": one.id,
        "campaignName": one.name,
        "campaignDescription": one.description,
        "callerIdentification": one.caller_id,
        "startDate": None,
        "endDate": None,
        "active": int(one.active),
        "numAttempts": 1,
        "appId": one.app_id,
        "runNow": False,
        "modifiedDate": iso(one.modified),
        "modifiedBy": NOBODY,
        "customerId": account.customer_id,
        "createdDate": iso(one.created),
        "createdBy": NOBODY,
        "deleteFlag": flag(one.deleted, knobs),
        "lastExecuted": "" if one.last_executed is None else iso(one.last_executed),
        "scheduled": one.schedule_id,
        "retryInterval": 0,
        "flowId": one.flow_id,
        "timezone": "",
    }


def campaign_created(account: Account, one: Campaign, knobs: IntelePeerKnobs) -> JsonObject:
    """E3."""
    return {
        "listRel": one.list_ids,
        "lists": [],
        "location": "US",
        "_id": one.id,
        "deleteFlag": flag(one.deleted, knobs),
        "campaignDescription": one.description,
        "campaignName": one.name,
        "callerIdentification": one.caller_id,
        "flowId": one.flow_id,
        "startDate": None,
        "endDate": None,
        "active": int(one.active),
        "numAttempts": 1,
        "retryInterval": 0,
        "runNow": False,
        "scheduleId": one.schedule_id,
        "rate": 1,
        "timezone": "",
        "appId": one.app_id,
        "createdDate": iso(one.created),
        "createdBy": NOBODY,
        "customerId": account.customer_id,
        "plan": account.plan,
        "modifiedDate": iso(one.modified),
        "modifiedBy": NOBODY,
    }


def campaign_updated(account: Account, one: Campaign) -> JsonObject:
    """E4: other names, numbers and flags as text, the customer as a number, dates without milliseconds."""
    customer = account.customer_id
    return {
        "campaignName": one.name,
        "campaignId": one.id,
        "campaignDescription": one.description,
        "callerIdentification": one.caller_id,
        "flowTypeId": one.flow_id,
        "startDate": None,
        "endDate": None,
        "active": int(one.active),
        "numAttempts": "1",
        "retryInterval": "0",
        "appId": "",
        "runNow": "false",
        "scheduleId": one.schedule_id or "",
        "modifiedDate": iso(one.modified)[:19] + "Z",
        "modifiedBy": NOBODY,
        "createdDate": iso(one.created)[:19] + "Z",
        "createdBy": NOBODY,
        "deleteFlag": str(one.deleted).lower(),
        "customerId": int(customer) if customer.isdigit() else customer,
        "listRel": one.list_ids,
        "utcName": "United States Minor Outlying Islands - Baker Island",
        "utcOffset": "\N{MINUS SIGN}12:00",  # as published: not the ASCII sign
    }


def campaign_in_error(account: Account, one: Campaign, knobs: IntelePeerKnobs) -> JsonObject:
    """E9: with ``lists``, ``plan``, ``status``, ``publishedDate``, ``runId``; without a description."""
    return {
        "listRel": one.list_ids,
        "lists": [{"listId": link.list_id, "moc": link.moc, "autoDetectTZ": link.auto_detect_tz} for link in one.links],
        "location": "US",
        "_id": one.id,
        "deleteFlag": flag(one.deleted, knobs),
        "campaignName": one.name,
        "callerIdentification": one.caller_id,
        "active": int(one.active),
        "numAttempts": 1,
        "retryInterval": 0,
        "appId": one.app_id,
        "runNow": False,
        "scheduleId": one.schedule_id,
        "modifiedBy": NOBODY,
        "createdBy": NOBODY,
        "timezone": "",
        "rate": 1,
        "startDate": None,
        "endDate": None,
        "modifiedDate": iso(one.modified),
        "createdDate": iso(one.created),
        "customerId": account.customer_id,
        "plan": account.plan,
        "status": one.status,
        "flowId": one.flow_id,
        "publishedDate": iso(one.published or one.created),
        "runId": one.run_id,
    }


def list_row(account: Account, one: ContactList, knobs: IntelePeerKnobs) -> JsonObject:
    """E10: ``listId``, ``sharing``, headers as a bare array."""
    return {
        "customerId": account.customer_id,
        "listName": one.name,
        "description": one.description,
        "sharing": one.sharing,
        "deleteFlag": flag(one.deleted, knobs),
        "modifiedDate": iso(one.modified),
        "modifiedBy": NOBODY,
        "createdDate": iso(one.created),
        "createdBy": NOBODY,
        "listId": one.id,
        "headerInfo": one.headers,
        "status": one.status,
    }


def list_detail(account: Account, one: ContactList, knobs: IntelePeerKnobs) -> JsonObject:
    """E11 by id: ``_id``, relations, headers in an object; no ``status``."""
    return {
        "listName": one.name,
        "description": one.description,
        "modifiedDate": iso(one.modified),
        "modifiedBy": NOBODY,
        "createdDate": iso(one.created),
        "createdBy": NOBODY,
        "deleteFlag": flag(one.deleted, knobs),
        "customerId": account.customer_id,
        "campaignRel": one.campaign_ids,
        "contactRel": one.contact_ids,
        "_id": one.id,
        "autoDetectTZ": one.auto_detect_tz,
        "state": 0,
        "location": "US",
        "headerInfo": _header_info(one),
    }


def list_detail_legacy(account: Account, one: ContactList) -> JsonObject:
    """E11 by id as an older edition prints it."""
    customer = account.customer_id
    return {
        "listName": one.name,
        "listId": one.id,
        "description": one.description,
        "customerId": int(customer) if customer.isdigit() else customer,
        "modifiedDate": iso(one.modified),
        "modifiedBy": NOBODY,
        "createdDate": iso(one.created),
        "createdBy": NOBODY,
        "deleteFlag": str(one.deleted).lower(),
        "campaignRel": one.campaign_ids,
        "contactRel": one.contact_ids,
    }


def list_by_name(account: Account, one: ContactList, knobs: IntelePeerKnobs) -> JsonObject:
    """E11 by name: with ``status``, without relations."""
    return {
        "customerId": account.customer_id,
        "listName": one.name,
        "description": one.description,
        "deleteFlag": flag(one.deleted, knobs),
        "modifiedDate": iso(one.modified),
        "modifiedBy": NOBODY,
        "createdDate": iso(one.created),
        "createdBy": NOBODY,
        "status": one.status,
        "autoDetectTZ": one.auto_detect_tz,
        "state": 0,
        "location": "US",
        "headerInfo": _header_info(one),
        "_id": one.id,
    }


def list_created(account: Account, one: ContactList, knobs: IntelePeerKnobs) -> JsonObject:
    """E12."""
    return {
        "listName": one.name,
        "description": one.description,
        "modifiedDate": iso(one.modified),
        "modifiedBy": NOBODY,
        "createdDate": iso(one.created),
        "createdBy": NOBODY,
        "customerId": account.customer_id,
        "contactRel": one.contact_ids,
        "campaignRel": one.campaign_ids,
        "deleteFlag": flag(one.deleted, knobs),
        "_id": one.id,
        "state": 0,
        "location": "US",
        "headerInfo": _header_info(one),
    }


def list_uploaded(one: ContactList) -> JsonObject:
    """E14: all contacts so far, an empty ``listId``, ``modifiedBY``."""
    return {
        "headerInfo": _header_info(one),
        "campaignRel": one.campaign_ids,
        "contactRel": one.contact_ids,
        "location": "US",
        "_id": one.id,
        "listName": one.name,
        "listId": "",
        "description": one.description,
        "state": 0,
        "modifiedDate": iso(one.modified),
        "modifiedBY": NOBODY,
        "createdDate": iso(one.created),
        "createdBy": NOBODY,
    }


def _header_info(one: ContactList) -> JsonObject:
    return {"headers": one.headers, "moc": one.moc}
